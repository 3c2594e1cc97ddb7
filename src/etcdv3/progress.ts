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
