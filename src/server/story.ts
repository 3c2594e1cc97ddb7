import { hasFormed, isComplete, lastRegistered } from '../discovery/cluster.ts';
import type { Reason } from '../discovery/errors.ts';
import type { Written } from '../discovery/store.ts';
import type { Cluster, Member } from '../discovery/types.ts';
import { newWarnings } from '../discovery/warnings.ts';
import type { RefusedChange, ReportedCaller } from '../rpc/reports.ts';
import type { Log } from './telemetry/log.ts';
import { tokenLabel } from './telemetry/redact.ts';

/** The length at which names are cut in the log: a rejected name may have any length. */
const NAME_SHOWN = 64;

/**
 * OF_CLUSTER has the refusals by an existing cluster. In all others the member name may be a token as well: of another
 * cluster, misspelt by the request.
 */
const OF_CLUSTER: ReadonlySet<Reason> = new Set<Reason>([
  'CLUSTER_FORMED',
  'CLUSTER_FULL',
  'DISCOVERY_TEXT_DIFFERS',
  'MEMBER_EXISTS',
  'MEMBER_NOT_FOUND',
  'NAME_TAKEN',
  'PEER_URL_TAKEN',
  'REJOIN_REFUSED',
  'REVISION_MISMATCH',
  'TOKEN_DELETED',
  'TOKEN_EXPIRED',
  'TOKEN_WORN_OUT',
  'TOO_MANY_STANDBYS',
]);

/**
 * Story logs the history of each cluster from its token to its end: one line for each change and each
 * rejected one.
 */
export class Story {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  changed({ cluster, before }: Pick<Written, 'cluster' | 'before'>, by: ReportedCaller): void {
    if (this.#log.isLevelEnabled('info')) this.#tell(before, cluster, by);
    if (before !== undefined) this.#warn(before, cluster);
  }

  #tell(before: Cluster | undefined, cluster: Cluster, by: ReportedCaller): void {
    const about = { token: tokenLabel(cluster.token) };
    const tell = (facts: object, text: string): void =>
      this.#log.info({ ...about, ...facts, ...shown(by) }, text);
    const { size, createTime, expireTime } = cluster;
    if (before === undefined) {
      const ttlSeconds = Math.round((expireTime - createTime) / 1000);
      return tell({ size, ttlSeconds }, `a token was created for a cluster of ${size}`);
    }
    if (cluster.deleteTime !== undefined) return tell(countOf(before), 'the token was deleted');
    if (expireTime !== before.expireTime) return tell(countOf(cluster), 'the token was reopened');
    tellOfMembers(before, cluster, tell);
    if (!isComplete(cluster) || isComplete(before)) return;
    const seconds = (lastRegistered(cluster) - createTime) / 1000;
    this.#log.info(
      { ...about, size, seconds },
      `the cluster is complete, ${seconds} s after its token was created`,
    );
  }

  #warn(before: Cluster, cluster: Cluster): void {
    const { token } = cluster;
    for (const { kind, members, text } of newWarnings(before, cluster)) {
      const named = members.map((name) => nameShown(name, token));
      const facts = { token: tokenLabel(token), warning: kind, members: named };
      this.#log.warn(facts, `the peer URLs of the cluster look wrong: ${safe(text, token)}`);
    }
  }

  expired(cluster: Cluster): void {
    const facts = { token: tokenLabel(cluster.token), ...countOf(cluster) };
    const what = hasFormed(cluster) ? 'its cluster was complete' : `${shareOf(cluster)} registered`;
    this.#log.info(facts, `the token expired; ${what}`);
  }

  refused({ reason, token, memberName, by }: RefusedChange): void {
    const facts = {
      ...(token !== undefined && token !== '' && { token: tokenLabel(token) }),
      reason,
      ...(memberName !== undefined && OF_CLUSTER.has(reason) && { member: nameShown(memberName, token) }),
      ...shown(by),
    };
    this.#log.info(facts, 'a change was rejected');
  }
}

/** Makes a node's text safe to log: a token in it is still a secret. */
function safe(text: string, token: string | undefined): string {
  const others = text.replace(/[0-9a-f]{32}/gi, tokenLabel);
  const own = token?.split(':')[0] ?? '';
  return own === '' ? others : others.replaceAll(own, tokenLabel(own));
}

const nameShown = (name: string, token: string | undefined): string => safe(name, token).slice(0, NAME_SHOWN);

function tellOfMembers(before: Cluster, cluster: Cluster, tell: (facts: object, text: string) => void): void {
  const { members, size } = cluster;
  const count = shareOf(cluster);
  const nameOf = ({ name }: Member): string => nameShown(name, cluster.token);
  const facts = (member: Member): object => ({ member: nameOf(member), members: count });
  if (members.length < before.members.length) {
    const ids = new Set(members.map(({ id }) => id));
    for (const gone of before.members.filter(({ id }) => !ids.has(id))) {
      tell(facts(gone), `member ${nameOf(gone)} was removed, ${count} remain`);
    }
    return;
  }
  const latest = members.reduce((a, b) => (b.modRevision > a.modRevision ? b : a));
  if (latest.version > 1) tell(facts(latest), `member ${nameOf(latest)} was replaced`);
  else if (members.length > size) tell(facts(latest), `member ${nameOf(latest)} registered as a standby`);
  else tell(facts(latest), `member ${nameOf(latest)} registered, ${count}`);
}

const shareOf = ({ members, size }: Cluster): string => `${Math.min(members.length, size)} of ${size}`;
const countOf = (cluster: Cluster): object => ({ members: shareOf(cluster) });

function shown({ name, address }: ReportedCaller): object {
  return { ...(name !== undefined && { by: name }), ...(address !== undefined && { from: address }) };
}
