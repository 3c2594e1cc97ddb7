import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Database, RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';
import { DiscoveryError } from '../../discovery/errors.ts';
import { unavailable } from '../refusals.ts';
import { checkDataFile } from './check/data-file.ts';
import { damagedFile, foreign } from './check/refusals.ts';
import { Claim, hasOwner } from './claim.ts';
import { type Counters, countersOf, putCounters } from './counters.ts';
import { DataFile } from './data-file.ts';
import {
  beginFirstStart,
  checkSpace,
  endFirstStart,
  makeDirectory,
  refuseForeign,
  syncToDisk,
  thisUser,
} from './directory.ts';
import { isDamage, readFault, writeCause } from './fault.ts';
import { EVERYTHING } from './footprint.ts';
import { open } from './native.ts';
import { Room } from './room.ts';
import { FORMAT_VERSION, SEALED_SINCE, type Tables, tablesOf, tablesThere } from './tables.ts';
import { upgradeRecords } from './upgrade.ts';
import { usageOf } from './usage.ts';

const FORMAT = 'etcd-discovery';
/** As many as a SHA-256. */
const KEY_BYTES = 32;

/** Databases are the databases of one data directory, owned by this process. */
export interface Databases extends Tables {
  readonly places: NonNullable<Tables['places']>;
  /** Identifies this data directory. Created with it. */
  readonly clusterId: bigint;
  /** A random key, for values that must be the same after a restart. */
  readonly key: Uint8Array;
  /** The same ID as stored in the data. */
  readonly clusterName: string;
  /** The counters at the start. */
  readonly counters: Counters;
  /** The number of clusters at the start. */
  readonly tokens: number;
  readonly claim: Claim;
  readonly file: DataFile;
  readonly room: Room;
}

/** Opens a data directory, and creates it if necessary. Rejects with STORE_UNAVAILABLE and what to do. */
export async function openDatabases(place: string): Promise<Databases> {
  const directory = resolve(place);
  makeDirectory(directory);
  refuseForeign(directory);
  const claim = await Claim.begin(directory);
  const path = join(directory, 'data.mdb');
  let env: RootDatabase | undefined;
  let file: DataFile | undefined;
  try {
    checkDataFile(path);
    beginFirstStart(path);
    checkSpace(directory, claim.id);
    env = openEnvironment(directory, 'WRITE');
    // The file may also be in another directory, through a hard link or a mount.
    await claim.lock(path);
    file = new DataFile(path);
    const databases = await claimData(env, claim, file);
    endFirstStart(directory);
    syncToDisk(directory);
    return databases;
  } catch (error) {
    await env?.close();
    file?.close();
    // Another process that started at the same time may have won, and written during our check.
    const fault = await claim.refuseOwner().then(
      () => startFault(error, directory),
      (taken: unknown) => taken,
    );
    await claim.close();
    throw fault;
  }
}

/** With READ it opens the data next to the owner of the directory, without taking it over. */
export function openEnvironment(path: string, access: 'WRITE' | 'READ'): RootDatabase {
  const options: RootDatabaseOptionsWithPath & { permissionsMode: number } = {
    path,
    noSubdir: false,
    maxDbs: 8,
    // A commit is on disk before it can be read, and before its promise resolves.
    overlappingSync: false,
    // The promise for the event turn's batch is not awaited anywhere: a failed commit would be an unhandled
    // rejection.
    eventTurnBatching: false,
    encoding: 'msgpack',
    // Anyone who can read a token can use it.
    permissionsMode: 0o600,
    readOnly: access === 'READ',
  };
  return open(options);
}

async function claimData(env: RootDatabase, claim: Claim, file: DataFile): Promise<Databases> {
  const directory = dirname(file.path);
  const meta = env.openDB<unknown, string>('meta', { encoding: 'msgpack' });
  checkFormat(meta, directory);
  const old = tablesOf(env);
  const room = new Room(file, () =>
    usageOf(env, [meta, old.clusters.database, old.events.database, old.ends, placesOf(old)]),
  );
  // Every record may be rewritten.
  if (meta.get('formatVersion') !== FORMAT_VERSION) await room.make(EVERYTHING);
  await claim.win((from, to) =>
    meta.transactionSync(() => {
      const owner = meta.get('owner') as string | undefined;
      if (owner !== from) return owner;
      if (meta.get('format') === undefined) writeFormat(meta);
      else raiseFormat(old);
      if (meta.get('key') === undefined) void meta.put('key', randomBytes(KEY_BYTES).toString('hex'));
      void meta.put('owner', to);
      void meta.put('lockFile', lockFile(directory));
      return owner;
    }),
  );
  const tables = tablesOf(env);
  const counters = countersOf(tables);
  const clusterName = String(meta.get('clusterId'));
  return {
    ...tables,
    places: placesOf(tables),
    clusterId: BigInt(`0x${clusterName}`),
    clusterName,
    key: Buffer.from(String(meta.get('key')), 'hex'),
    counters,
    tokens: tables.clusters.count(),
    claim,
    file,
    room,
  };
}

/**
 * Returns the identity of LMDB's lock file, which tracks the readers next to the owner. If it were replaced,
 * the owner would not see them and would reuse pages that they are reading.
 */
function lockFile(directory: string): string | undefined {
  return statSync(join(directory, 'lock.mdb'), { bigint: true, throwIfNoEntry: false })?.ino.toString();
}

/**
 * Opens the data of a directory read-only, next to its owner if there is one. Throws if it has none yet, as
 * after an interrupted first start.
 */
export async function openBeside(directory: string): Promise<Tables> {
  // LMDB would read past the end of an empty file, which kills the process with a signal.
  if (statSync(join(directory, 'data.mdb')).size > 0) {
    const isInUse = await hasOwner(directory);
    const before = lockFile(directory);
    const env = openEnvironment(directory, 'READ');
    const tables = tablesThere(env);
    if (tables !== undefined) {
      if (!isInUse || tables.meta.get('lockFile') === before) return tables;
      await env.close();
      throw unavailable(
        `lock.mdb in the data directory ${directory} was deleted while another process uses the directory; restart that process first`,
      );
    }
    await env.close();
  }
  throw unavailable(
    `there is no data in ${directory} yet, because the first start was interrupted; start the service with this directory`,
  );
}

/** Throws unless the data is this program's, in a readable format, or empty. */
export function checkFormat(meta: Database<unknown, string>, directory: string): void {
  // New, or left by a process that was killed during its first start.
  if (meta.getKeysCount() === 0) return;
  if (meta.get('format') !== FORMAT) throw foreign();
  const version = Number(meta.get('formatVersion'));
  if (!(version >= 1)) throw damagedFile('its format is unknown');
  if (version < SEALED_SINCE && meta.get('sum') !== undefined) {
    throw damagedFile('its records do not match its format version');
  }
  if (version > FORMAT_VERSION) {
    throw unavailable(
      `a newer etcd-discovery wrote the data directory ${directory} (format ${version}, but this version reads ${FORMAT_VERSION}); run that version or a later one`,
    );
  }
}

function writeFormat(meta: Database<unknown, string>): void {
  void meta.put('format', FORMAT);
  void meta.put('formatVersion', FORMAT_VERSION);
  const clusterId = randomBytes(8).toString('hex');
  void meta.put('clusterId', clusterId);
  putCounters(meta, clusterId, { revision: 0, bytes: 0, records: 0 });
}

function placesOf({ places }: Tables): NonNullable<Tables['places']> {
  if (places === undefined) throw new TypeError('a database was not created');
  return places;
}

/** An older program would treat a guarded token as open, or remove a member of a complete cluster. */
function raiseFormat(tables: Tables): void {
  const { env, meta } = tables;
  const format = Number(meta.get('formatVersion'));
  if (format >= FORMAT_VERSION) return;
  const revision = meta.get('revision');
  if (typeof revision !== 'number') throw damagedFile('the revision counter is missing');
  // Damaged tokens remain in the counters.
  const counters = format < SEALED_SINCE ? undefined : countersOf(tables);
  void meta.put('formatVersion', FORMAT_VERSION);
  const bytes = upgradeRecords({ from: tables, to: tablesOf(env) }, format);
  const records = tables.events.count();
  putCounters(meta, String(meta.get('clusterId')), counters ?? { revision, bytes, records });
}

function startFault(error: unknown, directory: string): DiscoveryError {
  if (error instanceof DiscoveryError) return unavailable(error.message, error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') {
    return unavailable(
      `permission denied: ${thisUser()} cannot read or write the files in the data directory ${directory}; change their owner (chown)`,
      error,
    );
  }
  if (isDamage(error)) return unavailable(readFault(error).message, error);
  return unavailable(`cannot open the data directory ${directory}: ${writeCause(error, directory)}`, error);
}
