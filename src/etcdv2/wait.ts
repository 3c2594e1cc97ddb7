import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import type { Deadlines } from './deadlines.ts';
import { TOKEN_GOOD, type V2Error, v2Error } from './errors.ts';
import { Feeds } from './feed.ts';
import { hold } from './hold.ts';
import { CUT } from './kept.ts';
import { v2ReasonOf } from './refusal.ts';
import { eventReply, JSON_TYPE, type Reply } from './reply.ts';
import type { WaitRequest } from './request.ts';
import { begin, type V2Exchange } from './responder.ts';
import { Waiter } from './waiter.ts';

/**
 * The waits for registrations. What can be answered at once is returned; otherwise the headers go out now and the
 * event follows, or an empty end: at the poll limit, when the service stops, when the token ends. Nodes then
 * ask again, and are told why. Waiters are told of registrations alone, as they take any event for one, and never
 * forget one: when a member has gone or was changed, who waits for all has to read the list again.
 *
 * A node whose wait for itself fails gives up, so no wait fails for the service being away: it is held while the
 * store is, and ended empty when it stops. Rejects, with nothing sent, when the service refuses the watch.
 */
export class Waits {
  readonly #polls: Deadlines;
  readonly #feeds = new Feeds();

  constructor(polls: Deadlines) {
    this.#polls = polls;
  }

  async wait(
    client: DiscoveryClient,
    wanted: WaitRequest,
    exchange: V2Exchange,
  ): Promise<Reply | V2Error | undefined> {
    const { response } = exchange;
    const waiter = new Waiter(wanted, response, this.#polls);
    try {
      // A watch that resumes is open to ended tokens, whose nodes must be told.
      const { cluster, revision } = await client.listMembers({ token: wanted.token, refuseExpired: true });
      if (isStale(wanted, cluster?.cutRevision ?? 0n)) return countAgain(revision);
      waiter.after = wanted.waitIndex === 0n ? revision : wanted.waitIndex - 1n;
      if (waiter.after > revision) return ofAnotherStore(wanted, revision);
      const feed = await this.#feeds.join(client, wanted.token, waiter, hasChanged(cluster, waiter.after));
      // What is in the past is answered in one piece.
      const early = wanted.stream || waiter.isGone ? undefined : feed.next(waiter);
      if (early !== undefined || waiter.isGone || feed.isOver) {
        feed.leave(waiter);
        if (early === CUT) return countAgain(revision);
        return eventReply(early ?? '', revision);
      }
      begin(exchange, JSON_TYPE, revision);
      waiter.hold(feed);
      return undefined;
    } catch (thrown) {
      switch (v2ReasonOf(thrown)) {
        case ErrorReason.SHUTTING_DOWN:
          return eventReply('', 0n);
        case ErrorReason.STORE_UNAVAILABLE:
          if (waiter.isGone) return undefined;
          begin(exchange, JSON_TYPE, 0n);
          await hold(client, wanted.token, response, this.#polls);
          return undefined;
        default:
          throw thrown;
      }
    }
  }
}

/** Whether it is from before a member that its node may have counted has gone. A wait for one member is of no list. */
function isStale({ awaited, waitIndex }: WaitRequest, cutRevision: bigint): boolean {
  return awaited === 'ANY' && waitIndex !== 0n && waitIndex <= cutRevision;
}

/**
 * Nobody was told such an index by the store as it is: it was restored since, or is another. etcd lets such a wait be
 * for as long as it likes, while the members that its node has missed are there already.
 */
function ofAnotherStore({ awaited, waitIndex }: WaitRequest, index: bigint): V2Error {
  const cause = `the index is at ${index}, and ${waitIndex} is of another store, or of this one before it was restored`;
  // A node that counts members reads the list again after this, and ends at all else.
  if (awaited === 'ANY') return v2Error(503, 300, `${cause}; read the list again`, { index });
  return v2Error(400, 401, `${cause}; ${TOKEN_GOOD}`, { index });
}

/** Whether the token has changed after a revision, and not only been made. */
function hasChanged(cluster: Cluster | undefined, after: bigint): boolean {
  return cluster !== undefined && cluster.modRevision > after && cluster.modRevision > cluster.createRevision;
}

/** What makes a node read the list again, a few seconds later. */
function countAgain(index: bigint): V2Error {
  const cause = 'a member has gone or was changed since; read the list again, and wait from there';
  return v2Error(503, 300, cause, { message: 'Members have changed', index });
}
