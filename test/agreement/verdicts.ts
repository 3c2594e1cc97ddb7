import { isComplete, ranked } from '../../src/discovery/cluster.ts';
import type { Cluster } from '../../src/discovery/types.ts';
import { isMember, valueOf } from './node.ts';
import type { Slot } from './slot.ts';

export interface Violation {
  readonly law: 'AGREEMENT' | 'PROGRESS' | 'FINALITY' | 'NO_DEFECT';
  readonly words: string;
}

/** Checks the laws. The first violation stays. */
export class Verdicts {
  violation: Violation | undefined;
  /** The members with which the cluster became complete. */
  #final: string | undefined;
  /** The list of the first node that left as a member. */
  #left: string | undefined;

  /** Checks the state after a step. */
  look(slots: readonly Slot[], cluster: Cluster | undefined): void {
    if (cluster !== undefined && isComplete(cluster)) {
      const members = listOf(cluster);
      this.#final ??= members;
      if (members !== this.#final)
        this.#fail('FINALITY', `the members were ${this.#final}, and are ${members}`);
    } else if (this.#final !== undefined) {
      this.#fail('FINALITY', `the members were ${this.#final}, and the cluster is not complete any more`);
    }
    for (const { machine, letter } of slots) {
      if (machine.outcome?.type !== 'LEFT' || !isMember(machine)) continue;
      const members = machine.outcome.members.toSorted().join();
      this.#left ??= members;
      if (members !== this.#left)
        this.#fail('AGREEMENT', `one node left with ${this.#left}, ${letter} with ${members}`);
      if (members !== this.#final) {
        this.#fail(
          'FINALITY',
          `the members are ${this.#final ?? 'incomplete'}, and ${letter} left with ${members}`,
        );
      }
    }
  }

  /** Checks the state when no node has anything to do. */
  quiet(slots: readonly Slot[], cluster: Cluster | undefined): void {
    if (cluster === undefined) return;
    const complete = isComplete(cluster);
    const wanted = new Set(
      cluster.members.slice(0, cluster.size).map(({ name, peerUrls: [url] }) => `${name}=${url}`),
    );
    for (const { machine, letter, identity } of slots) {
      if (!wanted.has(valueOf(identity))) continue;
      const { outcome } = machine;
      if (outcome?.type === 'ENDED' && !outcome.isCrash)
        this.#fail('PROGRESS', `${letter} ended: ${outcome.why}`);
      if (outcome?.type === 'LEFT' && !isMember(machine))
        this.#fail('PROGRESS', `${letter} left without itself`);
      if (complete && outcome === undefined)
        this.#fail('PROGRESS', `${letter} waits forever, although all are registered`);
    }
  }

  /** Checks the state when calls never end: a rejected node of v3 retries, which only matters if others wait for it. */
  endless(slots: readonly Slot[], cluster: Cluster | undefined): void {
    if (cluster !== undefined && isComplete(cluster)) this.quiet(slots, cluster);
    else this.#fail('PROGRESS', 'the calls never end');
  }

  defect(defect: unknown): void {
    this.#fail('NO_DEFECT', defect instanceof Error ? (defect.stack ?? defect.message) : String(defect));
  }

  /** The state that determines its further judgement. */
  get memory(): readonly unknown[] {
    return [this.#final, this.#left];
  }

  #fail(law: Violation['law'], words: string): void {
    this.violation ??= { law, words };
  }
}

function listOf(cluster: Cluster): string {
  return ranked(cluster)
    .map(({ name, peerUrls: [url] }) => `${name}=${url}`)
    .sort()
    .join();
}
