import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readServeArguments } from '../settings/serve-arguments.ts';
import { startServer } from './serve.ts';
import { createLog, forPeople } from './telemetry/log.ts';
import { readServerTls } from './tls-files.ts';

export interface ServiceOptions {
  /** The port on 127.0.0.1. 0 or unset: any free port. */
  readonly port?: number;
  /**
   * The data directory, which is kept afterwards. Unset: a temporary directory, which is deleted with the
   * service.
   */
  readonly dataDir?: string;
  /**
   * Further flags of `etcd-discovery serve`, such as `['--min-ttl', '1s']`. They override the options above.
   */
  readonly flags?: readonly string[];
}

/** DiscoveryServer is a discovery service in this process. */
export interface DiscoveryServer extends AsyncDisposable {
  /** The base URL, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** Lets calls finish, ends watches with an error that asks to retry, and closes the store. */
  stop(): Promise<void>;
}

/**
 * Starts a service in this process, for tests. It logs only errors, to standard error, and reads no
 * environment variables. Throws a TypeError for an invalid flag, and the cause if it cannot start.
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
    throw new TypeError(reading.type === 'HELP' ? '--help does not start a service' : reading.problem);
  }
  if (reading.config.workers > 1)
    throw new TypeError('--workers is not supported for a service in this process');
  const tls = reading.config.tls && readServerTls(reading.config.tls);
  if (typeof tls === 'string') throw new TypeError(tls);
  return startServer(reading.config, createLog('error', await forPeople(process.stderr)), { tls });
}
