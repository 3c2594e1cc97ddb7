import type { Database, RootDatabase } from 'lmdb';
import { PHASES, phaseOf } from '../../discovery/newest.ts';
import type { Cluster, Millis, Token } from '../../discovery/types.ts';
import type { ClusterRecord, EventRecord } from './codec.ts';
import { type Packer, RecordTable } from './record-table.ts';
import { sumOf } from './seal.ts';

/**
 * Of the records and their keys. 2 has the secrets that guard a token, and 3 its latest cut and whether it had formed
 * when it was deleted, which 1 and 2 leave to the events. 4 has how many bytes its changes take. 5 has checksums, and
 * what tells that a record is missing: the events' links and the marks. 6 has the index of places, and who made a token.
 */
export const FORMAT_VERSION = 6;
/** The first format with checksums. */
export const SEALED_SINCE = 5;
/** The first with the index of places. */
export const PLACED_SINCE = 6;

export type EventKey = [token: Token, revision: number];
export type EndKey = [endTimeMs: number, token: Token];
/** `newestFirst` is the time of the making, negative. */
export type PlaceKey = [phase: number, newestFirst: number, token: Token];

/** The databases of one data directory. */
export interface Tables {
  readonly env: RootDatabase;
  /** By name: format, formatVersion, clusterId, key, owner, lockFile, revision, bytes, records, sum. */
  readonly meta: Database<unknown, string>;
  readonly clusters: RecordTable<string, ClusterRecord>;
  /** At revision 0 stands the mark: that there is such a token. */
  readonly events: RecordTable<EventKey, EventRecord>;
  /** When clusters end, for the sweep. The values are checksums of the keys. */
  readonly ends: Database<unknown, EndKey>;
  /**
   * Where clusters are among those of their phase, for lists of the newest. The values are checksums of the keys.
   * Undefined in data of an older format that is only read.
   */
  readonly places: Database<unknown, PlaceKey> | undefined;
}

/** What stands at the revision of the mark. */
export const MARK: EventRecord = [];
export const MARK_REVISION = 0;

/** The databases in an environment of ours, whose format they tell. */
export function tablesOf(env: RootDatabase): Tables {
  const tables = tablesThere(env);
  if (tables === undefined) throw new TypeError('a database is missing');
  return tables;
}

/** Undefined when one is not there, which an environment that is only read does not make. */
export function tablesThere(env: RootDatabase): Tables | undefined {
  const meta = opened(env.openDB<unknown, string>('meta', { encoding: 'msgpack' }));
  const clusters = opened(env.openDB<Buffer, string>('clusters', { encoding: 'binary' }));
  const events = opened(env.openDB<Buffer, EventKey>('events', { encoding: 'binary' }));
  const ends = opened(env.openDB<unknown, EndKey>('ends', { encoding: 'msgpack' }));
  const places = opened<Tables['places']>(env.openDB<unknown, PlaceKey>('places', { encoding: 'msgpack' }));
  if (meta === undefined || clusters === undefined || events === undefined || ends === undefined)
    return undefined;
  const format = Number(meta.get('formatVersion') ?? FORMAT_VERSION);
  const form = format < SEALED_SINCE ? 'BARE' : 'SEALED';
  // Left out of lmdb's types.
  const { encoder: packer } = meta as Database<unknown, string> & { readonly encoder: Packer };
  return {
    env,
    meta,
    clusters: new RecordTable(clusters, packer, (token) => `cluster ${token}`, form),
    events: new RecordTable(events, packer, ([token, revision]) => `event ${token} ${revision}`, form),
    ends,
    places,
  };
}

/** lmdb's types do not say that it may be missing. */
function opened<T>(database: T): T | undefined {
  return database;
}

/** The later, the less. */
export function newestFirst(time: Millis): number {
  return 0 - time;
}

export function placeKey(cluster: Cluster): PlaceKey {
  return [PHASES.indexOf(phaseOf(cluster)), newestFirst(cluster.createTime), cluster.token];
}

export function sumOfPlace([phase, newestFirst, token]: PlaceKey): number {
  return sumOf(`place ${phase} ${newestFirst} ${token}`);
}

export function sumOfEnd([end, token]: EndKey): number {
  return sumOf(`end ${end} ${token}`);
}
