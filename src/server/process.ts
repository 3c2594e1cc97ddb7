import { DiscoveryError } from '../discovery/errors.ts';
import type { Config } from './config.ts';
import { listenProblem } from './listen-problem.ts';
import { type Log, openLog } from './log.ts';
import { type RunningServer, startServer } from './serve.ts';
import { readServerTls } from './tls-files.ts';

/** What a shell shows for a process that a signal ended. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const LEFT_OVER_MS = 500;

type Signal = keyof typeof SIGNAL_CODES;

/**
 * Runs the service in this process until SIGTERM or SIGINT; a second signal does not wait. Returns the exit
 * code. What keeps it from starting is one line on `err`, and 1.
 */
export async function runService(
  config: Config,
  warnings: readonly string[],
  err: (text: string) => void,
): Promise<number> {
  const { log, flush } = openLog(config);
  // What Node.js will drop one day is for developers: gRPC meets it with an etcd that is named by its address.
  process.noDeprecation = true;
  // Never carry on in a state that nobody foresaw: what was acknowledged is on disk, and a restart is cheap.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error }, `ending: ${origin}`);
    process.exit(1);
  });
  const stop = firstSignal((second) => {
    log.warn({ signal: second }, 'a second signal: ending at once');
    process.exit(SIGNAL_CODES[second]);
  });

  process.on('SIGUSR2', () => switchLevel(log, config.logLevel));
  for (const warning of warnings) log.warn(warning);
  const tls = config.tls && readServerTls(config.tls);
  if (typeof tls === 'string') {
    await flush();
    err(`etcd-discovery: ${tls}\n`);
    return 1;
  }
  let server: RunningServer;
  try {
    server = await startServer(config, log, tls);
  } catch (error) {
    await flush();
    err(`etcd-discovery: ${whyNot(error, config)}\n`);
    return 1;
  }
  log.info(server.about, 'serving');
  log.info({ signal: await stop }, 'stopping: calls under way may finish');
  await server.stop();
  log.info('stopped');
  await flush();
  // What the reader of the log does not take, or anything else that is left, must not keep the process.
  setTimeout(() => process.exit(0), LEFT_OVER_MS).unref();
  return 0;
}

/** To debug, or back. Said while the log is at debug, as it takes every line then. */
function switchLevel(log: Log, configured: Config['logLevel']): void {
  if (log.level === 'debug') {
    log.info(`SIGUSR2: the log goes back to the level ${configured}`);
    log.level = configured;
  } else {
    log.level = 'debug';
    log.info(
      `SIGUSR2: the log has everything from the level debug; once more, and it is at ${configured} again`,
    );
  }
}

function firstSignal(onSecond: (signal: Signal) => void): Promise<Signal> {
  return new Promise((resolve) => {
    let signals = 0;
    for (const signal of Object.keys(SIGNAL_CODES) as Signal[]) {
      process.on(signal, () => {
        signals += 1;
        if (signals === 1) resolve(signal);
        else onSecond(signal);
      });
    }
  });
}

/** Why the service cannot start, for the operator. What nobody foresaw is thrown on. */
function whyNot(error: unknown, { listen }: Config): string {
  if (error instanceof DiscoveryError) return error.message;
  const problem = listenProblem(error, listen, '--addr');
  if (problem === undefined) throw error;
  return problem;
}
