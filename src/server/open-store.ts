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

/** OpenedStore is the store selected by the configuration. The layers above do not know which one it is. */
export interface OpenedStore {
  /** With the ID that the v3 dialect reports for its cluster. Replicas over one etcd share it. */
  readonly store: Store & {
    readonly clusterId: bigint;
    readonly tokens: () => number;
    readonly room?: () => number;
    readonly bytes: () => number;
  };
  /** A description for the operator: type and location. */
  readonly description: string;
  /** Returns why no more changes are accepted. Undefined while they are. */
  readonly full: () => string | undefined;
  /** Returns why no new tokens are accepted. Undefined while they are. */
  readonly warning: () => string | undefined;
}

export interface OpenOptions {
  readonly onBatch?: StoreMetrics['batch'];
  /** What to do with an unused prefix in etcd. Default: take it. */
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
      store.bytes() < most ? undefined : `new tokens are rejected: ${fullWith(store.bytes(), all)}`,
  };
}

/**
 * Time in ms until the wait is logged: an etcd that starts together with the service takes seconds, and an
 * empty log looks like a hang.
 */
const SILENT_MS = 1000;

const AFTER_A_KILL =
  'the last process that used the data directory did not shut down cleanly (killed, out of memory, disk failure or power loss: see the kernel log); the data was checked, and every acknowledged write is there';

/** Opens the store. Rejects with a DiscoveryError whose message says what to do. */
export async function openStore(
  config: StoreConfig,
  policy: Pick<Policy, 'maxTokens' | 'maxBytes'>,
  log: Log,
  { onBatch = () => {}, free = 'TAKE' }: OpenOptions = {},
): Promise<OpenedStore> {
  // The other store is not loaded, because each brings its database's client.
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
    description: `etcd at ${endpoints.join(', ')}, prefix ${prefix}`,
  };
}

function tellTrouble(log: Log, trouble: string | undefined): void {
  if (trouble === undefined) log.info('the store accepts writes again');
  else log.error(`writes are rejected: ${trouble}`);
}

/** Reads the files with the credentials for etcd. */
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
  // Reports problems with the files here, not as a failure of etcd.
  tls();
  const isTls = endpoints.some((endpoint) => endpoint.startsWith('https:'));
  return {
    ...(isTls && { tls }),
    ...(user && { auth: { username: user.name, password: passwordOf(user.password) } }),
  };
}

/** A password file is read again at each login, because it may have changed. A pipe can be read only once. */
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
  if (typeof contents === 'string') throw refusal(`${name}: cannot read the file: ${contents}`);
  const [password = ''] = contents.toString('utf8').split(/\r?\n/, 1);
  if (password === '') throw refusal(`${name}: the first line is empty; it must be the password`);
  return password;
}

function orRefuse<T>(read: T | string): T {
  if (typeof read === 'string') throw refusal(read);
  return read;
}

function refusal(words: string): DiscoveryError {
  return new DiscoveryError('INVALID_ARGUMENT', words);
}
