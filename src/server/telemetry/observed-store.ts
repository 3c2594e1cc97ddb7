import { SpanStatusCode } from '@opentelemetry/api';
import { isComplete } from '../../discovery/cluster.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import type { Store, Written } from '../../discovery/store.ts';
import type { StoreMetrics, StoreOperation } from './store-metrics.ts';
import type { Tracing } from './tracing.ts';

/** Wraps the store to measure, count and, if tracing is on, trace its operations. */
export function observeStore(store: Store, metrics: StoreMetrics, tracing?: Tracing): Store {
  // Not async: every request passes through here, and should take no extra turns of the microtask queue.
  const observed = <T>(
    operation: StoreOperation,
    call: () => Promise<T>,
    onResult?: (result: T) => void,
  ): Promise<T> => {
    const span = tracing?.store(operation);
    const begin = performance.now();
    const over = (): void => {
      metrics.seconds[operation].observe((performance.now() - begin) / 1000);
      span?.end();
    };
    return call().then(
      (result) => {
        over();
        onResult?.(result);
        return result;
      },
      (thrown: unknown) => {
        if (isFailure(thrown)) {
          metrics.failed(operation);
          span?.setStatus({ code: SpanStatusCode.ERROR });
        }
        over();
        throw thrown;
      },
    );
  };
  const count = (written: Written): void => {
    if (written.changed) countChange(written, metrics);
  };
  return {
    key: store.key,
    ping: () => observed('read', () => store.ping()),
    revision: () => observed('read', () => store.revision()),
    read: (token) => observed('read', () => store.read(token)),
    events: (token, after, limit) => observed('events', () => store.events(token, after, limit)),
    sweep: (endedBefore, limit) => observed('sweep', () => store.sweep(endedBefore, limit)),
    write: (token, decide) => observed('write', () => store.write(token, decide), count),
    list: (after, limit, onDamaged) => store.list(after, limit, onDamaged),
    ending: (from, until, limit) => observed('read', () => store.ending(from, until, limit)),
    newest: (phase, after, limit) => observed('read', () => store.newest(phase, after, limit)),
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
  };
}

function isFailure(thrown: unknown): boolean {
  if (!(thrown instanceof DiscoveryError)) return true;
  return thrown.reason === 'STORE_UNAVAILABLE' || thrown.reason === 'INTERNAL';
}

function countChange({ cluster, before }: Written, metrics: StoreMetrics): void {
  if (before === undefined) return metrics.token('created');
  if (cluster.deleteTime !== undefined) return metrics.token('deleted');
  if (cluster.members.length > before.members.length) {
    metrics.registered();
    if (isComplete(cluster) && !isComplete(before)) metrics.token('completed');
  } else if (cluster.expireTime !== before.expireTime) metrics.token('reopened');
}
