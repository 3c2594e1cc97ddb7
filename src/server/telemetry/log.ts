import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../../settings/config.ts';
import { openOutput } from './log-output.ts';

export type Log = Logger;

/** OpenLog is a log, and a way to flush it. */
export interface OpenLog {
  readonly log: Log;
  /** Adds complete lines that another process has logged as JSON. */
  readonly pass: (lines: string) => void;
  /** Resolves when every line is written, or after a timeout for the reader. */
  readonly flush: () => Promise<void>;
}

/**
 * Opens the log on standard output: JSON, one object per line, or lines for people. A worker's lines have its
 * number.
 */
export async function openLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  worker?: number,
): Promise<OpenLog> {
  const text = logFormat === 'text' || (logFormat === 'auto' && process.stdout.isTTY);
  const output = openOutput(process.stdout);
  const out = text ? await forPeople(output) : output;
  return {
    log: createLog(logLevel, out, worker),
    pass(lines) {
      if (!text) output.write(lines);
      else for (const line of lines.match(/.+\n/g) ?? []) out.write(line);
    },
    flush: output.flush,
  };
}

let lastMs = 0;
let lastTime = '';

/** The same as pino's, created once for all lines of a millisecond. */
function timestamp(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastTime = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastTime;
}

/** Returns a destination that converts lines of JSON to lines for people, for which it loads another thirty files. */
export async function forPeople(out: DestinationStream): Promise<DestinationStream> {
  const { lineForPeople } = await import('./log-text.ts');
  return { write: (line) => out.write(lineForPeople(line)) };
}

/** Creates a log that writes JSON, one object per line. */
export function createLog(level: Config['logLevel'], out: DestinationStream, worker?: number): Log {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  );
}
