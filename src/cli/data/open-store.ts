import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DiscoveryError } from '../../discovery/errors.ts';
import type { Store } from '../../discovery/store.ts';
import { type OpenOptions, openStore } from '../../server/open-store.ts';
import { createLog } from '../../server/telemetry/log.ts';
import type { Config } from '../../settings/config.ts';
import type { Report } from './report.ts';

/** The store that the settings choose, for a command. One that is not there yet is made only where that is said. */
export async function storeOf(
  { store, policy }: Config,
  report: Report,
  free: NonNullable<OpenOptions['free']>,
): Promise<Store> {
  if (store.type === 'EMBEDDED' && free === 'REFUSE' && !hasData(store.dataDir)) {
    throw new DiscoveryError(
      'STORE_UNAVAILABLE',
      `there is no data in ${store.dataDir}; name the data directory with --data-dir, or an etcd with --etcd`,
    );
  }
  const log = createLog('warn', report.json ? 'json' : 'text', { write: report.log });
  return (await openStore(store, policy, log, { free })).store;
}

export function hasData(dataDir: string): boolean {
  return existsSync(join(dataDir, 'data.mdb'));
}
