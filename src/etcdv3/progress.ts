import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import type { Watcher } from './watcher.ts';

/** When a cluster last changed, as known at a revision of the store. */
interface State {
  readonly modRevision: bigint;
  readonly revision: bigint;
}

/**
 * Returns the states of the watches' clusters by token. A cluster that is gone has no changes to wait for.
 */
export async function statesOf(
  client: DiscoveryClient,
  watchers: readonly Watcher[],
): Promise<ReadonlyMap<string, State>> {
  const states = new Map<string, State>();
  for (const token of new Set(watchers.map(({ span }) => span.token))) {
    try {
      const { cluster, revision } = await client.getCluster({ token });
      states.set(token, { modRevision: requireMessage(cluster).modRevision, revision });
    } catch (thrown) {
      if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND') continue;
      states.set(token, { modRevision: 0n, revision: refusalOf(thrown)?.revision ?? 0n });
    }
  }
  return states;
}

/** A client's request for the progress of all of its watches. */
interface Question {
  /** The store's revision at the time of the request. */
  readonly revision: bigint;
  /** The latest change that each watcher must have delivered. */
  readonly targets: Map<Watcher, bigint>;
}

/**
 * Returns the progress to report for a watch that requested it, or for a node's. Nodes do not request it but
 * get it, because a proxy would close a silent stream. A node resumes after the last revision it received, so its progress is a
 * revision up to which it has everything, never the store's revision.
 */
export function progressOf(watcher: Watcher, states: ReadonlyMap<string, State>): bigint | undefined {
  if (watcher.stopped) return undefined;
  if (watcher.isNode) return watcher.delivered;
  const now = watcher.wantsProgress ? states.get(watcher.span.token) : undefined;
  if (now === undefined || watcher.startsAfter(now.revision)) return undefined;
  return watcher.delivered >= now.modRevision ? now.revision : undefined;
}

/** Returns what each watch must have delivered before the answer. Undefined if no answer is possible. */
export async function questionAbout(
  client: DiscoveryClient,
  watchers: Iterable<Watcher>,
): Promise<Question | undefined> {
  const all = [...watchers];
  const states = await statesOf(client, all);
  const targets = new Map<Watcher, bigint>();
  let revision: bigint | undefined;
  for (const watcher of all) {
    const now = states.get(watcher.span.token);
    // As in etcd, no answer: it would move a watch that starts in the future back to the present.
    if (now === undefined || watcher.startsAfter(now.revision)) return undefined;
    targets.set(watcher, now.modRevision);
    if (revision === undefined || now.revision < revision) revision = now.revision;
  }
  return revision === undefined ? undefined : { revision, targets };
}

/**
 * Questions holds the requests that wait for watchers to catch up: the first, and the latest, whose answer
 * covers those between.
 */
export class Questions {
  readonly #waiting: Question[] = [];

  add(question: Question): void {
    this.#waiting.splice(1);
    this.#waiting.push(question);
  }

  /** Includes a watch that started since: the answer covers it too, so it waits for that watch as well. */
  include(watcher: Watcher, target: bigint): void {
    for (const { targets } of this.#waiting) targets.set(watcher, target);
  }

  /** Forgets a watch that has ended, which delivers nothing more. */
  forget(watcher: Watcher): void {
    for (const { targets } of this.#waiting) targets.delete(watcher);
  }

  /**
   * Removes and returns the revision of the first request if every watcher that has not stopped has reached
   * it.
   */
  takeAnswered(): bigint | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    for (const [watcher, target] of first.targets) {
      if (!watcher.stopped && watcher.delivered < target) return undefined;
    }
    this.#waiting.shift();
    return first.revision;
  }
}
