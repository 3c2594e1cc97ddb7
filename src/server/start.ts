import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readServeArguments } from '../settings/serve-arguments.ts';
import { startServer } from './serve.ts';
import { createLog } from './telemetry/log.ts';
import { readServerTls } from './tls-files.ts';

export interface ServiceOptions {
  /** On 127.0.0.1. 0 or left out: one that is free. */
  readonly port?: number;
  /** Where the data is kept, also afterwards. Left out: in a temporary directory, which goes with the service. */
  readonly dataDir?: string;
  /** More flags of `etcd-discovery serve`, like `['--min-ttl', '1s']`. They beat the above. */
  readonly flags?: readonly string[];
}

/** A discovery service in this process. */
export interface DiscoveryServer extends AsyncDisposable {
  /** Like `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** Lets calls finish, ends watches with a word to come back, and closes the store. */
  stop(): Promise<void>;
}

/**
 * Starts a service in this process, for a test of one's own. It logs errors alone, to standard error, and reads no
 * environment variables. Throws a TypeError for a flag that is wrong, and the reason when it cannot start.
 */
export async function startService(options: ServiceOptions = {}): Promise<DiscoveryServer> {
  const { port = 0, flags = [] } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'etcd-discovery-')));
  const removeData = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const server = await start(['--addr', `127.0.0.1:${port}`, '--data-dir', dataDir, ...flags]);
    const stop = async (): Promise<void> => {
      await server.stop();
      await removeData();
    };
    return { url: server.url, port: server.port, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await removeData();
    throw error;
  }
}

async function start(args: readonly string[]): ReturnType<typeof startServer> {
  const reading = readServeArguments(args, {});
  if (reading.type !== 'CONFIG') {
    throw new TypeError(reading.type === 'WRONG' ? reading.problem : '--help starts no service');
  }
  if (reading.config.workers > 1) throw new TypeError('--workers: a service in this process is one alone');
  const tls = reading.config.tls && readServerTls(reading.config.tls);
  if (typeof tls === 'string') throw new TypeError(tls);
  return startServer(reading.config, createLog('error', 'text', process.stderr), { tls });
}
