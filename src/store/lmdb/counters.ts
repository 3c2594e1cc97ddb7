import type { Database } from 'lmdb';
import { damagedFile } from './check/refusals.ts';
import { sumOf } from './seal.ts';
import { SEALED_SINCE, type Tables } from './tables.ts';

type Meta = Database<unknown, string>;

/** Counters are the store's totals over all tokens. */
export interface Counters {
  /** The revision of the last change. */
  readonly revision: number;
  /** Bytes of the tokens, see `tokenBytes`. */
  readonly bytes: number;
  /**
   * Events and marks. Every change adds one, so that a page of an earlier transaction is recognised as not
   * matching.
   */
  readonly records: number;
}

/** Must run within a transaction. `clusterId` is as stored there. */
export function putCounters(meta: Meta, clusterId: string, counters: Counters): void {
  const { revision, bytes, records } = counters;
  void meta.put('revision', revision);
  void meta.put('bytes', bytes);
  void meta.put('records', records);
  void meta.put('sum', sumOfCounters(clusterId, counters));
}

/** Must run within a transaction. Works with data of any readable format. */
export function putRevision(tables: Pick<Tables, 'meta' | 'events'>, revision: number): void {
  const { meta } = tables;
  if (!isSealed(meta)) void meta.put('revision', revision);
  else putCounters(meta, String(meta.get('clusterId')), { ...countersOf(tables), revision });
}

/** Throws unless the counters are from one transaction, where the format allows checking it. */
export function checkCounters(tables: Pick<Tables, 'meta' | 'events'>): void {
  if (isSealed(tables.meta)) countersOf(tables);
}

function isSealed(meta: Meta): boolean {
  return Number(meta.get('formatVersion')) >= SEALED_SINCE;
}

function sumOfCounters(clusterId: string, { revision, bytes, records }: Counters): number {
  return sumOf(`counters ${clusterId} ${revision} ${bytes} ${records}`);
}

/** Throws if the counters are damaged. */
export function countersOf({ meta, events }: Pick<Tables, 'meta' | 'events'>): Counters {
  const [revision, bytes, records] = ['revision', 'bytes', 'records'].map((name) => meta.get(name));
  if (typeof revision !== 'number') throw damagedFile('the revision counter is missing');
  if (typeof bytes !== 'number' || typeof records !== 'number') throw damagedFile('a counter is missing');
  const counters = { revision, bytes, records };
  if (meta.get('sum') !== sumOfCounters(String(meta.get('clusterId')), counters)) {
    throw damagedFile('the counters do not match their checksum');
  }
  if (records !== events.count())
    throw damagedFile('the counters and the records are not from the same transaction');
  return counters;
}
