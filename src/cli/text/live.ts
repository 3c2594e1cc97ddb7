import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Cluster,
  ClusterState,
  type Member,
  MemberEventType,
  type Warning,
} from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../../gen/discovery/v1/service_pb.ts';
import type { ClusterChange, ClusterSnapshot, WatchConnection } from '../../client/index.ts';
import { printable } from '../../values/quote.ts';
import type { Terminal } from '../command.ts';
import { jsonLine } from '../output.ts';
import { problemOf } from '../problem.ts';
import { onInterrupt } from '../terminal.ts';
import { bar } from './bar.ts';
import { progress, warningText } from './cluster.ts';
import { styleFor } from './style.ts';
import { span } from './time.ts';

/**
 * LiveView shows a cluster as it assembles: one line per change and, on a terminal, a status line with a bar.
 */
export interface LiveView {
  /** Prints what has changed since the last step. */
  readonly update: (step: ClusterSnapshot | ClusterChange) => void;
  readonly connection: (connection: WatchConnection) => void;
  /** Removes the bar. */
  readonly end: () => void;
}

const REDRAW_MS = 1000;

export function liveView(terminal: Terminal, stream: 'out' | 'err', server: string): LiveView {
  const { status } = terminal;
  const isTerminal = status.canShow(stream);
  const style = styleFor(terminal, stream);
  const write = terminal[stream];
  let list: ListMembersResponse | undefined;
  let lost: string | undefined;

  const draw = (): void => {
    if (list?.cluster === undefined) return;
    if (lost === undefined) status.show(stream, statusText(list.cluster));
    else status.show(stream, lost, style.yellow);
  };
  const line = (time: Timestamp | undefined, text: string): void => {
    write(`${style.dim(isTerminal ? clock(time) : iso(time))} ${text}\n`);
  };
  // On standard error, because a pipe may read the changes.
  const remark = (text: string): void => {
    if (isTerminal) line(undefined, text);
    else terminal.err(`${iso(undefined)} ${text}\n`);
  };
  const timer = isTerminal ? setInterval(draw, REDRAW_MS).unref() : undefined;
  const forget = onInterrupt(status.leave);

  return {
    update(step) {
      const known = list;
      list = step.list;
      lost = undefined;
      const { cluster } = list;
      const isComplete = cluster?.state === ClusterState.COMPLETE;
      const count = cluster === undefined ? '' : progress(cluster);
      if (step.type === 'event') {
        const { time, text } = told(step);
        line(time, `${text}: ${count}`);
      } else {
        for (const { time, text } of difference(known, list)) line(time, text);
        // Of a complete cluster the last line says so, at the time when it became complete.
        if (!isTerminal && !isComplete) line(undefined, count);
      }
      const warned = known?.cluster?.warnings.map(subject) ?? [];
      for (const warning of cluster?.warnings ?? []) {
        if (!warned.includes(subject(warning))) line(undefined, warningText(warning, style));
      }
      if (isComplete && known?.cluster?.state !== ClusterState.COMPLETE) {
        line(
          latest(list.members),
          style.green(['complete', ...(stream === 'out' ? [list.initialCluster] : [])].join(': ')),
        );
      }
      draw();
    },
    connection(connection) {
      if (connection.type === 'connected') {
        if (lost !== undefined) remark('reconnected to the service');
        lost = undefined;
      } else {
        const { message } = problemOf(connection.error, server);
        if (lost === undefined) remark(`${message}; trying again`);
        lost = `${message}; trying again`;
      }
      draw();
    },
    end() {
      clearInterval(timer);
      forget();
      status.erase();
    },
  };
}

/** The equivalent for programs: one line of JSON on standard error when the connection is lost. */
export function connectionJson(terminal: Terminal, server: string): LiveView['connection'] {
  let lost = false;
  return (connection) => {
    if (connection.type === 'lost' && !lost) {
      const { message } = problemOf(connection.error, server);
      terminal.err(jsonLine({ warning: { message: `${message}; trying again` } }));
    }
    lost = connection.type === 'lost';
  };
}

/** Identifies the subject of a warning. Its text also names unaffected members, whose number may grow. */
const subject = ({ kind, members }: Warning): string => [kind, ...members].join();

interface Line {
  readonly time: Timestamp | undefined;
  readonly text: string;
}

function told({ event: { type, time, member, previous } }: ClusterChange): Line {
  if (type === MemberEventType.TOKEN_REOPENED) return { time, text: 'the token was reopened' };
  if (type === MemberEventType.TOKEN_DELETED || member === undefined)
    return { time, text: 'the token was deleted' };
  if (type === MemberEventType.DEREGISTERED) return { time, text: `${printable(member.name)} removed` };
  if (type === MemberEventType.REPLACED) {
    return { time, text: `${printable(previous?.name ?? '')} replaced by ${nameAndUrls(member)}` };
  }
  return { time, text: `${nameAndUrls(member)} registered` };
}

/** Returns the changes between two states: all members at the start, and few after a gap in a watch. */
function difference(before: ListMembersResponse | undefined, after: ListMembersResponse): Line[] {
  const old = [...(before?.members ?? []), ...(before?.standbys ?? [])];
  const now = [...after.members, ...after.standbys];
  const gone = old.filter(({ id }) => !now.some((each) => each.id === id));
  const come = now.filter(
    ({ id, modRevision }) => !old.some((each) => each.id === id && each.modRevision === modRevision),
  );
  return [
    ...gone.map((member) => ({ time: undefined, text: `${printable(member.name)} removed` })),
    ...come.map((member) => ({ time: member.registerTime, text: `${nameAndUrls(member)} registered` })),
  ];
}

function nameAndUrls({ name, peerUrls }: Member): string {
  return `${printable(name)} (${printable(peerUrls.join(', '))})`;
}

function latest(members: readonly Member[]): Timestamp | undefined {
  return members.at(-1)?.registerTime;
}

function statusText(cluster: Cluster): string {
  const { size, memberCount, standbyCount, expireTime } = cluster;
  const parts = [`${bar(memberCount, size)} ${progress(cluster)}`];
  if (standbyCount > 0) parts.push(`${standbyCount} on standby`);
  if (expireTime !== undefined)
    parts.push(`expires in ${span(Math.max(0, timestampMs(expireTime) - Date.now()))}`);
  return parts.join(', ');
}

/** Formats the local time of day. */
function clock(time: Timestamp | undefined): string {
  return new Date(time === undefined ? Date.now() : timestampMs(time)).toTimeString().slice(0, 8);
}

function iso(time: Timestamp | undefined): string {
  return new Date(time === undefined ? Date.now() : timestampMs(time)).toISOString();
}
