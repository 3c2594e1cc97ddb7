import { Counter, type Registry } from 'prom-client';
import { counterBy } from './counter-by.ts';
import { COUNTS, Histogram, SECONDS, type Series } from './histogram.ts';

const OPERATIONS = ['read', 'write', 'events', 'sweep'] as const;
const TOKEN_CHANGES = ['created', 'completed', 'deleted', 'reopened'] as const;

export type StoreOperation = (typeof OPERATIONS)[number];
export type TokenChange = (typeof TOKEN_CHANGES)[number];

/** StoreMetrics counts the operations of any store. */
export interface StoreMetrics {
  readonly seconds: Readonly<Record<StoreOperation, Series>>;
  /** Counts an operation that the store failed to execute. */
  failed(operation: StoreOperation): void;
  /** Records the number of operations in one call to the database. */
  readonly batch: (operation: 'read' | 'write', size: number) => void;
  token(change: TokenChange): void;
  registered(): void;
  /** Counts removed tokens that had ended long ago. */
  removed(tokens: number): void;
  /** Returns the histograms in Prometheus' text format. */
  text(): string;
}

export function createStoreMetrics(register: Registry): StoreMetrics {
  const durations = new Histogram(
    'discovery_store_duration_seconds',
    'Duration of store operations: read, write (until durable), events, sweep (one batch).',
    SECONDS,
  );
  const batches = new Histogram(
    'discovery_store_batch_size',
    'Writes per transaction; with etcd also reads per call.',
    COUNTS,
  );
  const failed = counterBy(register, {
    name: 'discovery_store_failures_total',
    help: 'Store calls that failed. A rejected call does not count as a failure.',
    label: 'operation',
    values: OPERATIONS,
  });
  const changed = counterBy(register, {
    name: 'discovery_token_changes_total',
    help: 'Tokens created, completed, deleted, reopened, and removed after their retention, by this process. Expired tokens are not counted.',
    label: 'change',
    values: [...TOKEN_CHANGES, 'removed'],
  });
  const registrations = new Counter({
    name: 'discovery_members_registered_total',
    help: 'Members registered by this process, including standbys.',
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
