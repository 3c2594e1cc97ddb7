import { reasonOf, refusalOf } from '../client/refusal.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import type { Watcher } from './watcher.ts';

/** When a cluster last changed, as it was known at a revision of the store. */
interface State {
  readonly modRevision: bigint;
  readonly revision: bigint;
}

/** How the clusters of watches are, by their tokens. One that is gone has no changes to wait for. */
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

/** A question of a client how far all of its watches have come. */
interface Question {
  /** The store's when it was asked. */
  readonly revision: bigint;
  /** The latest change that each watcher must have delivered. */
  readonly targets: Map<Watcher, bigint>;
}

/**
 * How far a watch has come, if it is to be told: one that asked for it, and a node's, which asks for nothing, as a proxy
 * would cut a silent stream off. A node resumes after the revision that it was told last, so that must be one up to
 * which it has everything, and never the store's.
 */
export function progressOf(watcher: Watcher, states: ReadonlyMap<string, State>): bigint | undefined {
  if (watcher.stopped) return undefined;
  if (watcher.isNode) return watcher.delivered;
  const now = watcher.wantsProgress ? states.get(watcher.span.token) : undefined;
  if (now === undefined || watcher.startsAfter(now.revision)) return undefined;
  return watcher.delivered >= now.modRevision ? now.revision : undefined;
}

/** A question how far the watches have come; undefined when there is no answer to it. */
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
    // As etcd, without an answer: it would move a watch that begins in the future back to the present.
    if (now === undefined || watcher.startsAfter(now.revision)) return undefined;
    targets.set(watcher, now.modRevision);
    if (revision === undefined || now.revision < revision) revision = now.revision;
  }
  return revision === undefined ? undefined : { revision, targets };
}

/** Questions that wait for watchers to catch up: the first, and the latest, whose answer covers those between. */
export class Questions {
  readonly #waiting: Question[] = [];

  add(question: Question): void {
    this.#waiting.splice(1);
    this.#waiting.push(question);
  }

  /** A watch that began since: the answer is about it as well, so it waits for that too. */
  include(watcher: Watcher, target: bigint): void {
    for (const { targets } of this.#waiting) targets.set(watcher, target);
  }

  /** A watch that is over delivers no more, and is not kept for a question that waits long. */
  forget(watcher: Watcher): void {
    for (const { targets } of this.#waiting) targets.delete(watcher);
  }

  /** Takes out the revision of the first question if every watcher, unless it has stopped, has come so far. */
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
