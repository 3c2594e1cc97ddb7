import { Counter, type Registry } from 'prom-client';
import { counterBy } from './counter-by.ts';
import { COUNTS, Histogram, SECONDS, type Series } from './histogram.ts';

const OPERATIONS = ['read', 'write', 'events', 'sweep'] as const;
const TOKEN_CHANGES = ['created', 'completed', 'deleted', 'reopened'] as const;

export type StoreOperation = (typeof OPERATIONS)[number];
export type TokenChange = (typeof TOKEN_CHANGES)[number];

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
  const failed = counterBy(register, {
    name: 'discovery_store_failures_total',
    help: 'Calls that the store failed to do. What it refused is no failure.',
    label: 'operation',
    values: OPERATIONS,
  });
  const changed = counterBy(register, {
    name: 'discovery_token_changes_total',
    help: 'Tokens made, clusters that became complete, tokens deleted, reopened, and removed after their retention, by this process. Expiry is no change: it is the time in the record.',
    label: 'change',
    values: [...TOKEN_CHANGES, 'removed'],
  });
  const registrations = new Counter({
    name: 'discovery_members_registered_total',
    help: 'Members that registered, standbys included, by this process.',
    registers: [register],
  });
  const batchSeries = {
    read: batches.with({ operation: 'read' }),
    write: batches.with({ operation: 'write' }),
  };
  return {
    seconds: {
      read: durations.with({ operation: 'read' }),
      write: durations.with({ operation: 'write' }),
      events: durations.with({ operation: 'events' }),
      sweep: durations.with({ operation: 'sweep' }),
    },
    failed,
    batch: (operation, size) => batchSeries[operation].observe(size),
    token: changed,
    registered: () => registrations.inc(),
    removed: (tokens) => changed('removed', tokens),
    text: () => durations.text() + batches.text(),
  };
}
