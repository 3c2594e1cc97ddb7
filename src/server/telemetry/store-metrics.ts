import { Counter, type Registry } from '@prometheus-io/client';
import { COUNTS, Histogram, SECONDS, type Series } from './histogram.ts';

export type StoreOperation = 'read' | 'write' | 'events' | 'sweep';
export type TokenChange = 'created' | 'completed' | 'deleted' | 'reopened';

/** What is counted of the store, whichever it is. */
export interface StoreMetrics {
  readonly seconds: Readonly<Record<StoreOperation, Series>>;
  /** The store could not do what it was asked. */
  failed(operation: StoreOperation): void;
  /** Calls that went to the database together. */
  readonly batch: (operation: 'read' | 'write', size: number) => void;
  token(change: TokenChange): void;
  registered(): void;
  /** So many tokens that ended long ago were removed. */
  removed(tokens: number): void;
  /** The histograms, in Prometheus' text format. */
  text(): string;
}

export function createStoreMetrics(register: Registry): StoreMetrics {
  const registers = [register];
  const durations = new Histogram(
    'discovery_store_duration_seconds',
    'How long the store took: read, write (until it is durable), events, sweep (one batch).',
    SECONDS,
  );
  const batches = new Histogram(
    'discovery_store_batch_size',
    'How many writes shared a transaction; with etcd also how many reads shared a call.',
    COUNTS,
  );
  const failures = new Counter({
    name: 'discovery_store_failures_total',
    help: 'Calls that the store failed to do. What it refused is no failure.',
    labelNames: ['operation'],
    registers,
  });
  const changes = new Counter({
    name: 'discovery_token_changes_total',
    help: 'Tokens made, clusters that became complete, tokens deleted, reopened, and removed after their retention, by this process. Expiry is no change: it is the time in the record.',
    labelNames: ['change'],
    registers,
  });
  const registrations = new Counter({
    name: 'discovery_members_registered_total',
    help: 'Members that registered, standbys included, by this process.',
    registers,
  });
  // From the start, so that a rate sees the first one.
  for (const operation of ['read', 'write', 'events', 'sweep']) failures.inc({ operation }, 0);
  for (const change of ['created', 'completed', 'deleted', 'reopened', 'removed']) changes.inc({ change }, 0);
  const series = (operation: StoreOperation): Series => durations.with({ operation });
  const batchSeries = {
    read: batches.with({ operation: 'read' }),
    write: batches.with({ operation: 'write' }),
  };
  return {
    seconds: {
      read: series('read'),
      write: series('write'),
      events: series('events'),
      sweep: series('sweep'),
    },
    failed: (operation) => failures.inc({ operation }),
    batch: (operation, size) => batchSeries[operation].observe(size),
    token: (change) => changes.inc({ change }),
    registered: () => registrations.inc(),
    removed: (tokens) => changes.inc({ change: 'removed' }, tokens),
    text: () => durations.text() + batches.text(),
  };
}
