import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.ts';
import { forPeople } from './log-text.ts';
import { openOutput } from './output.ts';

export type Log = Logger;

/** A log, and a way to be sure that it is written. */
export interface OpenLog {
  readonly log: Log;
  /** Resolves when every line is written, or its reader has had time enough to take it. */
  readonly flush: () => Promise<void>;
}

/** The log on standard output: JSON, an object a line, or lines for people. */
export function openLog({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): OpenLog {
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  const output = openOutput(process.stdout);
  return { log: createLog(logLevel, text ? 'text' : 'json', output), flush: output.flush };
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
