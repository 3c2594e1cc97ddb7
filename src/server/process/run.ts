import cluster from 'node:cluster';
import type { Config } from '../../settings/config.ts';
import { type Log, openLog } from '../telemetry/log.ts';
import { notifySystemd } from './notify-systemd.ts';
import { openFilesWarning } from './open-files.ts';
import { endAtOnce, endOnDefect, firstSignal, switchLevel } from './signals.ts';
import { tryStart } from './try-start.ts';
import { runPrimary } from './workers/primary.ts';
import { runWorker } from './workers/worker.ts';

const LEFT_OVER_MS = 500;

/**
 * Runs the service until SIGTERM or SIGINT; a second signal ends it at once. Returns the exit code. A failure
 * to start writes one line to `err` and returns 1. With several workers this process starts them, and they
 * serve.
 */
export async function runService(
  config: Config,
  warnings: readonly string[],
  err: (text: string) => void,
): Promise<number> {
  if (config.workers > 1 && cluster.isWorker) return runWorker(config);
  const opened = await openLog(config);
  const { log, flush } = opened;
  endOnDefect(log);
  const openFiles = openFilesWarning(config.limits.connections);
  for (const warning of openFiles === undefined ? warnings : [...warnings, openFiles]) log.warn(warning);
  const problem = await (config.workers > 1 ? runPrimary(config, opened) : runAlone(config, log));
  await flush();
  if (problem !== undefined) err(`etcd-discovery: ${problem}\n`);
  // Unread log lines, or anything else left over, must not keep the process running.
  else setTimeout(() => process.exit(0), LEFT_OVER_MS).unref();
  return problem === undefined ? 0 : 1;
}

/** Serves in this process. Returns why it cannot, if it fails to start. */
async function runAlone(config: Config, log: Log): Promise<string | undefined> {
  const stop = firstSignal((second) => endAtOnce(second, log));
  process.on('SIGUSR2', () => switchLevel(log, config.logLevel));
  const server = await tryStart(config, log);
  if (typeof server === 'string') return server;
  log.info(server.about, 'serving');
  notifySystemd('READY=1', log);
  log.info({ signal: await stop }, 'stopping: waiting for running calls to finish');
  notifySystemd('STOPPING=1', log);
  await server.stop();
  log.info('stopped');
  return undefined;
}
