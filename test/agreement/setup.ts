import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import type { Token } from '../../src/discovery/types.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';
import type { Mutation } from './host.ts';
import type { Dialect, NodeIdentity } from './node.ts';

export const TOKEN = 't' as Token;

/** How many events may happen besides the nodes' own steps. */
export interface Budget {
  /** Removals and replacements of members. */
  readonly cuts: number;
  /** Crashes of nodes, each followed by an immediate restart. */
  readonly crashes: number;
  /** Broken connections. */
  readonly breaks: number;
  /** Ends of the service, each followed by a start on the same store. */
  readonly restarts: number;
}

export type OpenStore = () => Promise<Store> | Store;

export interface Setup {
  readonly size: number;
  /** One per node. */
  readonly dialects: readonly Dialect[];
  readonly budget: Budget;
  /**
   * Whether each call, response and store access is a separate step. Otherwise a node joins, reads the list and
   * starts to wait in one step each, and processes responses as they arrive.
   */
  readonly isFine: boolean;
  /** Creates the data of one world. Returns a function that opens it, closing the previous store. */
  readonly newData: () => OpenStore;
  /** The maximum delay of a commit notification in ms; 0 with a store in memory. */
  readonly newsMs?: number;
  readonly mutation?: Mutation;
  /** Returns the identity of a node by its number and how often it was restarted. */
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

/** Returns a setup. Its name is like `3 of 2233 with 2 cuts`: four nodes, two of each dialect, for three slots. */
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
