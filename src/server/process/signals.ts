import type { Config } from '../../settings/config.ts';
import type { Log } from '../telemetry/log.ts';

/** The exit codes that shells show for processes ended by a signal. */
export const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export type Signal = keyof typeof SIGNAL_CODES;

/** Resolves at the first signal that asks the process to end. Each further one asks to end it at once. */
export function firstSignal(onSecond: (signal: Signal) => void): Promise<Signal> {
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

/** Ends the process with the exit code that shells show for the signal. */
export function endAtOnce(signal: Signal, log: Log): never {
  log.warn({ signal }, 'second signal: exiting immediately');
  process.exit(SIGNAL_CODES[signal]);
}

/** Switches to debug level or back. Logged at debug level, at which every line is written. */
export function switchLevel(log: Log, configured: Config['logLevel']): void {
  if (log.level === 'debug') {
    log.info(`SIGUSR2: log level restored to ${configured}`);
    log.level = configured;
  } else {
    log.level = 'debug';
    log.info(`SIGUSR2: log level set to debug; send SIGUSR2 again to restore ${configured}`);
  }
}

/** Ends the process at an unexpected error, which leaves it in an unknown state, and logs the cause. */
export function endOnDefect(log: Log): void {
  // Acknowledged writes are on disk, and a restart is cheap.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error }, `exiting: ${origin}`);
    process.exit(1);
  });
}
