import type { Config } from '../../settings/config.ts';
import type { Log } from '../telemetry/log.ts';

/** What a shell shows for a process that a signal ended. */
export const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export type Signal = keyof typeof SIGNAL_CODES;

/** Resolves at the first signal that asks the process to end. Each one after it does not want to wait. */
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

/** Ends the process, with the code that a shell shows for the signal. */
export function endAtOnce(signal: Signal, log: Log): never {
  log.warn({ signal }, 'a second signal: ending at once');
  process.exit(SIGNAL_CODES[signal]);
}

/** To debug, or back. Said while the log is at debug, as it takes every line then. */
export function switchLevel(log: Log, configured: Config['logLevel']): void {
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

/** Sees to it that the process ends where it would go on in a state that nobody foresaw, and says why. */
export function endOnDefect(log: Log): void {
  // What was acknowledged is on disk, and a restart is cheap.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error }, `ending: ${origin}`);
    process.exit(1);
  });
}
