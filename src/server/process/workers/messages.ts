import type { RunningServer } from '../../serve.ts';

/** ToWorker is a message from the primary to a worker. */
export type ToWorker =
  /** Let calls finish, then exit. */
  | { readonly type: 'STOP' }
  | { readonly type: 'LEVEL'; readonly level: string }
  /** Send your metrics. */
  | { readonly type: 'TELL_METRICS' }
  /** The metrics of all workers, for a scrape that this worker received. */
  | { readonly type: 'METRICS'; readonly text: string };

/** ToPrimary is a message from a worker to the primary. */
export type ToPrimary =
  /** The worker receives messages from now on. Node.js would have dropped earlier ones. */
  | { readonly type: 'LISTENING' }
  | { readonly type: 'SERVING'; readonly about: RunningServer['about'] }
  /** Why the worker cannot start. It then exits. */
  | { readonly type: 'PROBLEM'; readonly problem: string }
  /** The worker's own metrics, as requested. */
  | { readonly type: 'OWN_METRICS'; readonly text: string }
  /** The worker received a scrape and needs the metrics of all. */
  | { readonly type: 'GATHER_METRICS' };

/** The variable that gives a worker its number, starting at 1. */
export const WORKER_NUMBER = 'ETCD_DISCOVERY_WORKER';
