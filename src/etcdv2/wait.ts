import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import type { Deadlines } from './deadlines.ts';
import { TOKEN_GOOD, type V2Error, v2Error } from './errors.ts';
import { Feeds } from './feed.ts';
import { hold } from './hold.ts';
import { CUT } from './kept.ts';
import { v2ReasonOf } from './refusal.ts';
import { eventReply, JSON_TYPE, type V2Reply } from './reply.ts';
import type { WaitRequest } from './request.ts';
import { begin, type V2Exchange } from './responder.ts';
import { Waiter } from './waiter.ts';

/**
 * Waits handles the waits for registrations. A wait that can be answered at once is returned. Otherwise the
 * headers are sent now and the event follows, or an empty end: at the poll limit, when the service stops, or
 * when the token ends. Nodes then ask again, and get the reason. Nodes take any event for a registration and
 * never forget one, so they receive only registrations. When a member was removed or changed, nodes that wait
 * for all members must read the list again.
 *
 * A node exits when its wait for itself fails, so no wait fails because the service is unavailable: it is
 * held while the store is away, and ended empty when the service stops. Rejects, with nothing sent, if the
 * service rejects the watch.
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
  ): Promise<V2Reply | V2Error | undefined> {
    const { response } = exchange;
    const waiter = new Waiter(wanted, response, this.#polls);
    try {
      // A watch that resumes also accepts ended tokens, whose nodes must get an error.
      const { cluster, revision } = await client.listMembers({ token: wanted.token, refuseExpired: true });
      if (isStale(wanted, cluster?.cutRevision ?? 0n)) return countAgain(revision);
      waiter.after = wanted.waitIndex === 0n ? revision : wanted.waitIndex - 1n;
      if (waiter.after > revision) return ofAnotherStore(wanted, revision);
      const feed = await this.#feeds.join(client, wanted.token, waiter, hasChanged(cluster, waiter.after));
      // An event from the past is returned in one piece.
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

/** Whether the wait started before a counted member was removed. A wait for one member counts none. */
function isStale({ awaited, waitIndex }: WaitRequest, cutRevision: bigint): boolean {
  return awaited === 'ANY' && waitIndex !== 0n && waitIndex <= cutRevision;
}

/**
 * Returns an error for an index that this store never returned: the store was restored since, or is another
 * one. etcd would let such a wait hang, although the members that its node has missed are already registered.
 */
function ofAnotherStore({ awaited, waitIndex }: WaitRequest, index: bigint): V2Error {
  const cause = `the store is at index ${index}; waitIndex ${waitIndex} is from another store, or from this one before a restore`;
  // A node that counts members reads the list again after this error, and exits at all others.
  if (awaited === 'ANY') return v2Error(503, 300, `${cause}; read the list again`, { index });
  return v2Error(400, 401, `${cause}; ${TOKEN_GOOD}`, { index });
}

/** Whether the token has changed after a revision, other than by its creation. */
function hasChanged(cluster: Cluster | undefined, after: bigint): boolean {
  return cluster !== undefined && cluster.modRevision > after && cluster.modRevision > cluster.createRevision;
}

/** Returns the error after which a node reads the list again, a few seconds later. */
function countAgain(index: bigint): V2Error {
  const cause =
    'a member was removed or changed after waitIndex; read the list again and wait from its index';
  return v2Error(503, 300, cause, { message: 'Members have changed', index });
}
