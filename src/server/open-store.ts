import { resolve } from 'node:path';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Policy } from '../discovery/policy.ts';
import type { Store } from '../discovery/store.ts';
import type { EtcdConfig, StoreConfig } from '../settings/config.ts';
import type { FreePrefix } from '../store/etcd/prefix.ts';
import type { EtcdStoreOptions } from '../store/etcd/store.ts';
import { bytesBound, fullWith } from '../store/refusals.ts';
import type { Log } from './telemetry/log.ts';
import type { StoreMetrics } from './telemetry/store-metrics.ts';
import { readCaFile, readTlsFiles, readWhole } from './tls-files.ts';

/** The store that the configuration chooses. Nothing above knows which one it is. */
export interface OpenedStore {
  /** With the id that the v3 dialect tells as its cluster's; replicas over one etcd have the same. */
  readonly store: Store & {
    readonly clusterId: bigint;
    readonly tokens: () => number;
    readonly room?: () => number;
    readonly bytes: () => number;
  };
  /** For the operator: what it is, and where. */
  readonly description: string;
  /** Why nothing is changed any more, in words; undefined while changes are taken. */
  readonly full: () => string | undefined;
  /** The same of new tokens alone. */
  readonly warning: () => string | undefined;
}

export interface OpenOptions {
  readonly onBatch?: StoreMetrics['batch'];
  /** What becomes of a prefix in etcd without anything below it; without this it is taken. */
  readonly free?: FreePrefix;
}

function roomOf(
  store: Pick<OpenedStore['store'], 'bytes'>,
  maxBytes: number,
): Pick<OpenedStore, 'full' | 'warning'> {
  const { most, all } = bytesBound(maxBytes);
  return {
    full: () => (store.bytes() < all ? undefined : fullWith(store.bytes(), all)),
    warning: () =>
      store.bytes() < most ? undefined : `no new tokens are made: ${fullWith(store.bytes(), all)}`,
  };
}

/** An etcd that starts together with the service takes seconds; an empty log meanwhile looks like a hang. */
const SILENT_MS = 1000;

const AFTER_A_KILL =
  'the process that had the data directory before did not end by itself: it was killed, ran out of memory, met a failing disk (see the log of the kernel), or the machine went down; the data was checked and is whole, with every write that was acknowledged';

/** Rejects with a DiscoveryError whose text says what to do. */
export async function openStore(
  config: StoreConfig,
  policy: Pick<Policy, 'maxTokens' | 'maxBytes'>,
  log: Log,
  { onBatch = () => {}, free = 'TAKE' }: OpenOptions = {},
): Promise<OpenedStore> {
  // The one that is not chosen is not loaded: each brings its database's client.
  if (config.type === 'EMBEDDED') {
    const { openLmdbStore } = await import('../store/lmdb/store.ts');
    const store = await openLmdbStore({
      path: config.dataDir,
      policy,
      log: (line) => log.fatal(line),
      onTrouble: (trouble) => tellTrouble(log, trouble),
      onBatch,
    });
    if (store.followsKilled) log.warn(AFTER_A_KILL);
    return {
      store,
      ...roomOf(store, policy.maxBytes),
      description: `embedded (LMDB), in ${resolve(config.dataDir)}`,
    };
  }
  const { endpoints, prefix } = config;
  const warn = (line: string): void => log.warn(line);
  const options = { endpoints, prefix, free, policy, ...etcdAccess(config), log: warn, onBatch };
  const { openEtcdStore } = await import('../store/etcd/store.ts');
  const waiting = setTimeout(() => log.info(`waiting for etcd at ${endpoints.join(', ')}`), SILENT_MS);
  const store = await openEtcdStore(options)
    .catch((error: unknown) => {
      if (!(error instanceof DiscoveryError)) throw error;
      throw new DiscoveryError(error.reason, `--etcd ${endpoints.join(',')}: ${error.message}`, {
        cause: error,
      });
    })
    .finally(() => clearTimeout(waiting));
  return {
    store,
    ...roomOf(store, policy.maxBytes),
    description: `etcd at ${endpoints.join(', ')}, below ${prefix}`,
  };
}

function tellTrouble(log: Log, trouble: string | undefined): void {
  if (trouble === undefined) log.info('the store takes writes again');
  else log.error(`writes are refused: ${trouble}`);
}

/** Reads the files by which etcd lets the service in. */
function etcdAccess({
  endpoints,
  caFile,
  clientTls,
  user,
}: EtcdConfig): Pick<EtcdStoreOptions, 'tls' | 'auth'> {
  const tls = () => {
    const ca = caFile === undefined ? undefined : orRefuse(readCaFile(caFile, '--etcd-cacert'));
    const identity = clientTls && orRefuse(readTlsFiles(clientTls, 'etcd'));
    return { ...(ca !== undefined && { ca }), ...identity };
  };
  // What is wrong with them is said of them, and not of etcd.
  tls();
  const isTls = endpoints.some((endpoint) => endpoint.startsWith('https:'));
  return {
    ...(isTls && { tls }),
    ...(user && { auth: { username: user.name, password: passwordOf(user.password) } }),
  };
}

/** That in a file is read again at every log-in, as it may have been changed; from a pipe it comes once. */
function passwordOf(password: string | { readonly file: string }): string | (() => string) {
  if (typeof password === 'string') return password;
  const { file } = password;
  let latest = readPassword(file);
  return () => {
    try {
      latest = readPassword(file);
    } catch (error) {
      if (!(error instanceof DiscoveryError)) throw error;
    }
    return latest;
  };
}

function readPassword(file: string): string {
  const name = `--etcd-password-file ${JSON.stringify(file)}`;
  const contents = readWhole(file);
  if (typeof contents === 'string') throw refusal(`${name}: cannot be read: ${contents}`);
  const [password = ''] = contents.toString('utf8').split(/\r?\n/, 1);
  if (password === '') throw refusal(`${name}: its first line is empty, and should be the password`);
  return password;
}

function orRefuse<T>(read: T | string): T {
  if (typeof read === 'string') throw refusal(read);
  return read;
}

function refusal(words: string): DiscoveryError {
  return new DiscoveryError('INVALID_ARGUMENT', words);
}
