import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import {
  type ListMembersResponse,
  ListMembersResponseSchema,
  type WatchSnapshot,
} from '../../gen/discovery/v1/service_pb.ts';
import { applyEvent } from './apply-event.ts';
import { sleep } from './backoff.ts';
import type { DiscoveryClient } from './discovery-client.ts';
import { refusalOf } from './refusal.ts';
import { isCutOff, isTransient, pauseAfter } from './transient.ts';

/**
 * ClusterSnapshot is the members at the start of a watch, and again after a gap that the service can no
 * longer fill.
 */
export interface ClusterSnapshot {
  readonly type: 'snapshot';
  readonly revision: bigint;
  readonly list: ListMembersResponse;
}

/** ClusterChange is one change, and the members after it. */
export interface ClusterChange {
  readonly type: 'event';
  readonly revision: bigint;
  readonly event: MemberEvent;
  readonly list: ListMembersResponse;
}

/**
 * MissedChange is one change of a watch that started at a revision and therefore may not know the members.
 */
export interface MissedChange extends Omit<ClusterChange, 'list'> {
  readonly list: ListMembersResponse | undefined;
}

/** WatchConnection is the state of the connection behind a watch. */
export type WatchConnection =
  | { readonly type: 'connected' }
  | { readonly type: 'lost'; readonly error: ConnectError; readonly retryInMs: number };

export interface WatchOptions {
  /** Ends the watch, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the connection is lost, with the time of the next attempt, and when it is established. */
  readonly onConnection?: ((connection: WatchConnection) => void) | undefined;
}

/**
 * A stream is never silent for longer than the 45 s between heartbeats: after twice that the connection is
 * considered lost. In ms.
 */
const SILENCE_MS = 100_000;

/**
 * Watches a cluster: a snapshot, then every change once and in order, across lost connections and restarts of
 * the service. The watch ends when the token is deleted (the last change says so), the signal is aborted, or
 * the caller leaves the loop. Throws the service's ConnectError if the token is unknown or expired, or was
 * deleted before the watch started; `refusalOf` returns the reason.
 *
 * With `afterRevision` there is no snapshot: the changes after that revision follow.
 */
export function watchCluster(
  client: DiscoveryClient,
  token: string,
  options: WatchOptions & { readonly afterRevision: bigint },
): AsyncGenerator<ClusterSnapshot | MissedChange, void, undefined>;
export function watchCluster(
  client: DiscoveryClient,
  token: string,
  options?: WatchOptions,
): AsyncGenerator<ClusterSnapshot | ClusterChange, void, undefined>;
export async function* watchCluster(
  client: DiscoveryClient,
  token: string,
  options: WatchOptions & { readonly afterRevision?: bigint } = {},
): AsyncGenerator<ClusterSnapshot | MissedChange, void, undefined> {
  const { signal, onConnection } = options;
  let seen = options.afterRevision;
  let list: ListMembersResponse | undefined;
  let connected = false;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const turn = startTurn(signal);
    const request = { token, ...(seen !== undefined && { afterRevision: seen }) };
    let problem = new ConnectError('the stream ended unexpectedly', Code.Unavailable);
    let begun = false;
    try {
      for await (const { update } of client.watchMembers(request, { signal: turn.signal })) {
        turn.heard();
        begun = true;
        failures = 0;
        if (!connected) onConnection?.({ type: 'connected' });
        connected = true;
        if (update.case === 'snapshot') {
          list = listOf(update.value);
          seen = list.revision;
          yield { type: 'snapshot', revision: seen, list };
        } else if (update.case === 'event') {
          const event = update.value;
          list = list && applyEvent(list, event);
          seen = event.revision;
          yield { type: 'event', revision: seen, event, list };
          if (event.type === MemberEventType.TOKEN_DELETED) return;
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof ConnectError)) throw thrown;
      problem = thrown;
    } finally {
      turn.end();
    }
    signal?.throwIfAborted();
    if (turn.isSilent()) problem = silence();
    if (refusalOf(problem)?.reason === ErrorReason.REVISION_COMPACTED) {
      seen = undefined;
      continue;
    }
    if (!(begun ? isCutOff(problem) : isTransient(problem))) throw problem;
    connected = false;
    failures += 1;
    const retryInMs = pauseAfter(problem, failures);
    onConnection?.({ type: 'lost', error: problem, retryInMs });
    await sleep(retryInMs, signal);
  }
}

/** Returns what ListMembers would have returned. */
function listOf({
  cluster,
  members,
  standbys,
  initialCluster,
  revision,
}: WatchSnapshot): ListMembersResponse {
  const list = create(ListMembersResponseSchema, { members, standbys, initialCluster, revision });
  if (cluster !== undefined) list.cluster = cluster;
  return list;
}

/** Built on demand: the first error loads all of fetch in Node.js. */
const silence = (): ConnectError =>
  new ConnectError(`no data received for ${SILENCE_MS / 1000} s`, Code.Unavailable);

interface Turn {
  readonly signal: AbortSignal;
  /** Records that a message arrived. */
  heard(): void;
  /** Whether the call was ended because no message arrived. */
  isSilent(): boolean;
  /** Ends the call and releases the outer signal. A stream whose loop was merely left keeps running. */
  end(): void;
}

/** Starts the timeout of one stream, which ends it after too long a silence. */
function startTurn(outer: AbortSignal | undefined): Turn {
  const abort = new AbortController();
  let silent = false;
  const giveUp = (): void => {
    silent = true;
    abort.abort();
  };
  const leave = (): void => abort.abort(outer?.reason);
  let timer = setTimeout(giveUp, SILENCE_MS);
  outer?.addEventListener('abort', leave, { once: true });
  return {
    signal: abort.signal,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE_MS);
    },
    isSilent: () => silent,
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', leave);
      abort.abort();
    },
  };
}
