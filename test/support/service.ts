import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';
import type { Discovery } from '../../src/discovery/discovery.ts';
import type { Policy } from '../../src/discovery/policy.ts';
import { startServer } from '../../src/server/serve.ts';
import { createLog } from '../../src/server/telemetry/log.ts';
import type { Config } from '../../src/settings/config.ts';
import { readConfig } from '../../src/settings/read-config.ts';

export interface RunningService {
  readonly url: string;
  readonly port: number;
  /** A client over HTTP/1.1, like one in another process. */
  readonly client: DiscoveryClient;
  /** The core of the service, for state that no client sees. */
  readonly discovery: Discovery;
  /** Every line of the log so far, as JSON. */
  readonly logged: readonly string[];
  /** Stops the service as a signal would, and removes its data. */
  stop(): Promise<void>;
}

/** Starts the whole service in this process, on a free port of 127.0.0.1 with a data directory of its own. */
export async function startService(
  policy: Partial<Policy> = {},
  config: Partial<Config> = {},
): Promise<RunningService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const defaults = defaultConfig();
  const logged: string[] = [];
  const log = createLog('debug', { write: (line) => logged.push(line) });
  const server = await startServer(
    {
      ...defaults,
      listen: { host: '127.0.0.1', port: 0 },
      store: { type: 'EMBEDDED', dataDir },
      ...config,
      policy: { ...defaults.policy, ...policy },
    },
    log,
  );
  const { url, port, discovery } = server;
  return {
    url,
    port,
    client: createDiscoveryClient(url),
    discovery,
    logged,
    async stop() {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Returns the configuration without any settings. */
export function defaultConfig(): Config {
  const reading = readConfig(new Map(), {});
  if (reading.type !== 'CONFIG') throw new TypeError('the defaults are invalid');
  return reading.config;
}
