import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Decide, Written } from '../../discovery/store.ts';
import type { Token } from '../../discovery/types.ts';
import type { TokenState } from './read.ts';

/** Job is a write that waits for its turn, or for etcd. */
export interface Job {
  readonly decide: Decide;
  /** The tick at which it was requested. */
  readonly tick: number;
  readonly due: number;
  /** Whether it lost to another write each time that it was tried. */
  lost: boolean;
  resolve(written: Written): void;
  reject(error: DiscoveryError): void;
}

/** Lane holds the writes of one token, which are decided one after the other. */
export interface Lane {
  readonly token: Token;
  readonly jobs: Job[];
  /** The state that the last call for this token found. */
  state: TokenState | undefined;
}

/** Removes the first job from its lane, to be settled. */
export function finish(lane: Lane): Job {
  return lane.jobs.shift() as Job;
}

export function isOverdue(job: Job): boolean {
  return job.due < performance.now();
}
