import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { forPeople } from './log-text.ts';

export type Log = Logger;

/** A log, and the ways to be sure that it is written. */
export interface OpenLog {
  readonly log: Log;
  /** Resolves when every line is written. */
  readonly flush: () => Promise<void>;
  /** For an end of the process that cannot wait. */
  readonly flushSync: () => void;
}

/** Lines are dropped past this, as a reader of our output that is stuck must not stop the service. */
const MAX_UNWRITTEN_BYTES = 16 * 1024 * 1024;

/** The log on standard output: JSON, an object a line, or lines for people. */
export function openLog(config: Pick<Config, 'logLevel' | 'logFormat'>): OpenLog {
  const text = config.logFormat === 'text' || (config.logFormat === 'auto' && process.stdout.isTTY);
  // Written in the background, while the next lines gather: under load, many lines are one write.
  const out = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: MAX_UNWRITTEN_BYTES });
  return {
    log: createLog(config.logLevel, text ? 'text' : 'json', out),
    flush: () => new Promise((resolve) => out.flush(() => resolve())),
    flushSync: () => out.flushSync(),
  };
}

export function createLog(level: Config['logLevel'], format: 'json' | 'text', out: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? out : { write: (line) => out.write(forPeople(line)) },
  );
}
