import type { DiscoveryError } from '../../discovery/errors.ts';
import type { Decide, Written } from '../../discovery/store.ts';
import type { Token } from '../../discovery/types.ts';
import type { State } from './read.ts';

/** A write that waits for its turn, or for etcd. */
export interface Job {
  readonly decide: Decide;
  /** When it was asked for. */
  readonly tick: number;
  readonly due: number;
  /** Whether another write has come before it each time that it was tried. */
  lost: boolean;
  resolve(written: Written): void;
  reject(error: DiscoveryError): void;
}

/** The writes of one token, decided one after the other. */
export interface Lane {
  readonly token: Token;
  readonly jobs: Job[];
  /** What the last call for this token found. */
  state: State | undefined;
}

/** Takes the first job out of its lane, to be told what came of it. */
export function finish(lane: Lane): Job {
  return lane.jobs.shift() as Job;
}

export function isOverdue(job: Job): boolean {
  return job.due < performance.now();
}
