import type { Policy } from '../../src/discovery/limits.ts';
import type { Store } from '../../src/discovery/store.ts';

/** One store's data, which outlives the store objects that open it. */
export interface Place {
  /** Opens the data; the store opened before has to be closed. */
  open(policy: Pick<Policy, 'maxTokens'>): Promise<Store>;
  /** Removes the data. */
  destroy(): void;
}

export type MakePlace = () => Place;
