import type { Policy } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';

/** The data of one store, which outlives the store objects that open it. */
export interface Place {
  /** Whether each change gets the next revision (COUNTED), or revisions have gaps and can be shared (SHARED). */
  readonly revisions: 'COUNTED' | 'SHARED';
  /** Opens the data; the store that was open before must be closed. */
  open(policy: Pick<Policy, 'maxTokens' | 'maxBytes'>): Promise<Store>;
  /** Removes the data. */
  destroy(): void;
}

export type MakePlace = () => Place;
