import type { Policy } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';

/** One store's data, which outlives the store objects that open it. */
export interface Place {
  /** Whether each change has a revision of its own, one more than the last, or shares it and leaves gaps. */
  readonly revisions: 'COUNTED' | 'SHARED';
  /** Opens the data; the store opened before has to be closed. */
  open(policy: Pick<Policy, 'maxTokens' | 'maxBytes'>): Promise<Store>;
  /** Removes the data. */
  destroy(): void;
}

export type MakePlace = () => Place;
