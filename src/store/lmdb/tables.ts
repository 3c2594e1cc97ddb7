import type { Database, RootDatabase } from 'lmdb';
import { PHASES, phaseOf } from '../../discovery/newest.ts';
import type { Cluster, Millis, Token } from '../../discovery/types.ts';
import type { ClusterFields, EventRecord } from './codec.ts';
import { type Packer, RecordTable } from './record-table.ts';
import { sumOf } from './seal.ts';

/**
 * The format of records and keys. 2 adds the secrets that guard a token. 3 adds its latest cut and whether it
 * had formed when it was deleted, which 1 and 2 derive from the events. 4 adds the bytes of its changes. 5
 * adds checksums, and the links of events and the marks, by which a missing record is noticed. 6 adds the
 * index of places, and the creator of a token.
 */
export const FORMAT_VERSION = 6;
/** The first format with checksums. */
export const SEALED_SINCE = 5;
/** The first format with the index of places. */
export const PLACED_SINCE = 6;

export type EventKey = [token: Token, revision: number];
export type EndKey = [endTimeMs: number, token: Token];
/** PlaceKey: `newestFirst` is the negative creation time. */
export type PlaceKey = [phase: number, newestFirst: number, token: Token];

/** Tables are the databases of one data directory. */
export interface Tables {
  readonly env: RootDatabase;
  /** By name: format, formatVersion, clusterId, key, owner, lockFile, revision, bytes, records, sum. */
  readonly meta: Database<unknown, string>;
  readonly clusters: RecordTable<string, ClusterFields>;
  /** The record at revision 0 is the mark: it shows that the token exists. */
  readonly events: RecordTable<EventKey, EventRecord>;
  /** The end times of clusters, for the sweep. Values are checksums of the keys. */
  readonly ends: Database<unknown, EndKey>;
  /**
   * The places of clusters among those of their phase, for lists of the newest. Values are checksums of the
   * keys. Undefined in data of an older format that is opened read-only.
   */
  readonly places: Database<unknown, PlaceKey> | undefined;
}

/** The record at the revision of the mark. */
export const MARK: EventRecord = [];
export const MARK_REVISION = 0;

/** Opens the databases of this program's environment in the format that it has. */
export function tablesOf(env: RootDatabase): Tables {
  const tables = tablesThere(env);
  if (tables === undefined) throw new TypeError('a database is missing');
  return tables;
}

/** Returns undefined if a database is missing, because a read-only environment does not create it. */
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
  // Missing from lmdb's types.
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

/** lmdb's types do not say that the result may be undefined. */
function opened<T>(database: T): T | undefined {
  return database;
}

/** Maps later times to smaller numbers. */
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
