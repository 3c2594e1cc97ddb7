import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../../settings/config.ts';
import { openOutput } from './log-output.ts';
import { forPeople } from './log-text.ts';

export type Log = Logger;

/** A log, and a way to be sure that it is written. */
export interface OpenLog {
  readonly log: Log;
  /** Adds lines that another process has logged as JSON: one or more, whole. */
  readonly pass: (lines: string) => void;
  /** Resolves when every line is written, or its reader has had time enough to take it. */
  readonly flush: () => Promise<void>;
}

/** The log on standard output: JSON, an object a line, or lines for people. A worker's lines have its number. */
export function openLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  worker?: number,
): OpenLog {
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  const output = openOutput(process.stdout);
  const format = text ? 'text' : 'json';
  return {
    log: createLog(logLevel, format, output, worker),
    pass(lines) {
      if (!text) output.write(lines);
      else for (const line of lines.match(/.+\n/g) ?? []) output.write(forPeople(line));
    },
    flush: output.flush,
  };
}

let lastMs = 0;
let lastTime = '';

/** As pino's own, made once for all lines of a millisecond. */
function timestamp(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastTime = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastTime;
}

export function createLog(
  level: Config['logLevel'],
  format: 'json' | 'text',
  out: DestinationStream,
  worker?: number,
): Log {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? out : { write: (line) => out.write(forPeople(line)) },
  );
}
