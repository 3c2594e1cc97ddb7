// The limit of durable writes with the embedded store: LMDB, opened as the store opens it, and nothing else.

import { open, type RootDatabase } from 'lmdb';
import { answer } from '../support/ipc.ts';
import { quantile } from '../support/stats.ts';

export interface Writes {
  readonly inFlight: number;
  readonly ms: number;
}

export interface WritesResult {
  readonly perSecond: number;
  readonly latencyMsMedian: number;
}

/** A cluster of three, and an event, as the store encodes them, are of about these sizes. */
const RECORD = Buffer.alloc(300, 'r');
const EVENT = Buffer.alloc(120, 'e');

let environment: RootDatabase<Uint8Array, string> | undefined;
let count = 0;

function openAt(path: string): void {
  environment = open({
    path,
    noSubdir: false,
    encoding: 'binary',
    overlappingSync: false,
    eventTurnBatching: false,
  });
}

/** So many writers, each of which writes again when what it wrote is on disk: a read, and two puts. */
async function write({ inFlight, ms }: Writes): Promise<WritesResult> {
  const database = environment;
  if (database === undefined) throw new Error('no environment is open');
  const start = performance.now();
  const latencies: number[] = [];
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < start + ms) {
        const began = performance.now();
        count += 1;
        const key = `key-${count}`;
        database.get(key);
        // In one transaction, and with all others of this turn.
        await database.batch(() => {
          void database.put(key, RECORD);
          void database.put(`event-${key}`, EVENT);
        });
        latencies.push(performance.now() - began);
      }
    }),
  );
  const sorted = Float64Array.from(latencies).sort();
  return {
    perSecond: latencies.length / ((performance.now() - start) / 1000),
    latencyMsMedian: quantile(sorted, 0.5),
  };
}

answer({ open: openAt, write });
