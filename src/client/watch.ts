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

/** The members as they stood: at the beginning, and again when too much was missed for it to be told. */
export interface ClusterSnapshot {
  readonly type: 'snapshot';
  readonly revision: bigint;
  readonly list: ListMembersResponse;
}

/** One change, and the members after it. */
export interface ClusterChange {
  readonly type: 'event';
  readonly revision: bigint;
  readonly event: MemberEvent;
  readonly list: ListMembersResponse;
}

/** One change of a watch that began at a revision, and so may not know the members. */
export interface MissedChange extends Omit<ClusterChange, 'list'> {
  readonly list: ListMembersResponse | undefined;
}

/** What becomes of the connection behind a watch. */
export type WatchConnection =
  | { readonly type: 'connected' }
  | { readonly type: 'lost'; readonly error: ConnectError; readonly retryInMs: number };

export interface WatchOptions {
  /** Ends the watch: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told when the connection is lost, with when it is tried again, and when it is there (again). */
  readonly onConnection?: ((connection: WatchConnection) => void) | undefined;
}

/** A stream is silent for no longer than the 45 s between heartbeats: after twice that its connection is gone. In ms. */
const SILENCE_MS = 100_000;

/**
 * Watches a cluster: a snapshot, then every change once and in order, across lost connections and restarts of
 * the service. It goes on until the token is deleted (the last change says so), the signal is aborted, or the
 * loop over it is left. Throws the service's ConnectError when the token is unknown or expired, or was deleted
 * before the watch began; `refusalOf` has the reason.
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
    let problem = new ConnectError('the stream ended before the watch was over', Code.Unavailable);
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

/** What ListMembers would have answered. */
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

/** Made when it is needed: the first error loads the whole of fetch in Node.js. */
const silence = (): ConnectError =>
  new ConnectError(`nothing was heard for ${SILENCE_MS / 1000} s`, Code.Unavailable);

interface Turn {
  readonly signal: AbortSignal;
  /** A message has come. */
  heard(): void;
  /** Whether it was ended because none came. */
  isSilent(): boolean;
  /** Ends the call and lets go of the outer signal. A stream that is only left keeps running. */
  end(): void;
}

/** The time of one stream: it ends by itself when nothing is heard for too long. */
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
