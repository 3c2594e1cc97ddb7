import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DiscoveryError } from '../../discovery/errors.ts';
import type { Store } from '../../discovery/store.ts';
import type { OpenOptions } from '../../server/open-store.ts';
import type { Config } from '../../settings/config.ts';
import type { Report } from './report.ts';

/** Opens the store selected by the settings for a command. A missing store is created only if requested. */
export async function storeOf(
  { store, policy }: Config,
  report: Report,
  free: NonNullable<OpenOptions['free']>,
): Promise<Store> {
  if (store.type === 'EMBEDDED' && free === 'REFUSE' && !hasData(store.dataDir)) {
    throw noData(store.dataDir, ', or an etcd with --etcd');
  }
  const [{ openStore }, { createLog, forPeople }] = await Promise.all([
    import('../../server/open-store.ts'),
    import('../../server/telemetry/log.ts'),
  ]);
  const out = { write: report.log };
  const log = createLog('warn', report.json ? out : await forPeople(out));
  return (await openStore(store, policy, log, { free })).store;
}

export function hasData(dataDir: string): boolean {
  return existsSync(join(dataDir, 'data.mdb'));
}

/** Returns why a command for the embedded store cannot run if the settings select another one. */
export function wrongStoreFor(command: string, { store }: Config): string | undefined {
  if (store.type === 'EMBEDDED') return undefined;
  return `${command} works only on the embedded store, but etcd is set (DISC_ETCD, or --config): use etcdctl for the etcd store, or unset it`;
}

/** Returns the directory of the embedded store, for a command that `wrongStoreFor` accepts. */
export function dataDirectory({ store }: Config): string {
  if (store.type !== 'EMBEDDED') throw new TypeError('only the embedded store has a data directory');
  return store.dataDir;
}

/** Returns the directory if it contains data. Throws otherwise. */
export function requireData(config: Config): string {
  const dataDir = dataDirectory(config);
  if (hasData(dataDir)) return resolve(dataDir);
  throw noData(dataDir);
}

/** Returns the directory if it contains data, or if a running process still has its removed data open. */
export async function placeOfData(config: Config): Promise<string> {
  const { removedFile } = await import('../../store/lmdb/care/open-file.ts');
  const dataDir = resolve(dataDirectory(config));
  return removedFile(dataDir) === undefined ? requireData(config) : dataDir;
}

function noData(dataDir: string, orElse = ''): DiscoveryError {
  return new DiscoveryError(
    'STORE_UNAVAILABLE',
    `there is no data in ${dataDir}; set the data directory with --data-dir${orElse}`,
  );
}
