// The client for any runtime, over a transport of the caller. It does not use Node.js.

export { applyEvent } from './apply-event.ts';
export type { DiscoveryClient } from './discovery-client.ts';
export { refusalOf } from './refusal.ts';
export { RETRY_LIMITS, type RetryLimits, retryInterceptor } from './retry.ts';
export { waitForCluster } from './wait.ts';
export {
  type ClusterChange,
  type ClusterSnapshot,
  type MissedChange,
  type WatchConnection,
  type WatchOptions,
  watchCluster,
} from './watch.ts';
