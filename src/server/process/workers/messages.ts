import type { RunningServer } from '../../serve.ts';

/** What the primary tells a worker. */
export type ToWorker =
  /** Let calls finish, and end. */
  | { readonly type: 'STOP' }
  | { readonly type: 'LEVEL'; readonly level: string }
  /** What are your metrics? */
  | { readonly type: 'TELL_METRICS' }
  /** The metrics of all workers, for a scrape that came to this one. */
  | { readonly type: 'METRICS'; readonly text: string };

/** What a worker tells the primary. */
export type ToPrimary =
  /** It hears what it is told from here on; what came before, Node.js would have dropped. */
  | { readonly type: 'LISTENING' }
  | { readonly type: 'SERVING'; readonly about: RunningServer['about'] }
  /** Why it cannot start; it ends then. */
  | { readonly type: 'PROBLEM'; readonly problem: string }
  /** Its own metrics, as it was asked. */
  | { readonly type: 'OWN_METRICS'; readonly text: string }
  /** A scrape has come: what are the metrics of all? */
  | { readonly type: 'GATHER_METRICS' };

/** The variable that tells a worker which one it is: 1 for the first. */
export const WORKER_NUMBER = 'ETCD_DISCOVERY_WORKER';
