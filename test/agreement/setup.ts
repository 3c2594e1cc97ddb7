import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import type { Token } from '../../src/discovery/types.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';
import type { Mutation } from './host.ts';
import type { Dialect, NodeIdentity } from './node.ts';

export const TOKEN = 't' as Token;

/** How often what may happen beside the nodes' own steps does. */
export interface Budget {
  /** Removals and replacements of members. */
  readonly cuts: number;
  /** Crashes of nodes, each started again at once. */
  readonly crashes: number;
  /** Broken connections. */
  readonly breaks: number;
  /** Ends of the service, each followed by a start on the same store. */
  readonly restarts: number;
}

export type OpenStore = () => Promise<Store> | Store;

export interface Setup {
  readonly size: number;
  /** One for each node. */
  readonly dialects: readonly Dialect[];
  readonly budget: Budget;
  /**
   * Whether each call, each answer, and each access to the store is a step of its own. Otherwise a node joins in one
   * step, reads the list in one, and begins to wait in one, and takes answers when they come.
   */
  readonly isFine: boolean;
  /** Makes data for one world, and returns what opens it, again and again; the store before is closed then. */
  readonly newData: () => OpenStore;
  /** How late the news of a commit may be, in ms; 0 with a store in memory. */
  readonly newsMs?: number;
  readonly mutation?: Mutation;
  /** Who a node is, by its number and how often it was started anew. */
  readonly identityOf?: (i: number, start: number) => NodeIdentity;
}

export function identityOf(i: number, start: number): NodeIdentity {
  return { id: `f00000000000000${i}`, name: `n${i}`, peerUrl: `http://10.9.${start}.${i}:2380` };
}

export function memoryData(): OpenStore {
  const disk = emptyDisk();
  return () => openMemoryStore(disk, DEFAULT_POLICY);
}

export const NOTHING: Budget = { cuts: 0, crashes: 0, breaks: 0, restarts: 0 };

/** `3 of 2233 with 2 cuts` has four nodes, two of each dialect, for three places. */
export function setupOf(
  size: number,
  dialects: string,
  budget: Partial<Budget>,
): Setup & { readonly name: string } {
  const events = Object.entries(budget).map(([what, count]) => `${count} ${what}`);
  return {
    name: `${size} of ${dialects} with ${events.join(', ')}`,
    size,
    dialects: dialects.split('').map((each): Dialect => (each === '2' ? 'V2' : 'V3')),
    budget: { ...NOTHING, ...budget },
    isFine: false,
    newData: memoryData,
  };
}
