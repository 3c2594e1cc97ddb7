import type { Writable } from 'node:stream';
import { REQUEST_LIMITS } from '../../limits.ts';

const FLUSH_LIMIT_MS = 1000;

/** Where lines go, in one write for all that one turn of the event loop gathers. */
export interface Output {
  readonly write: (line: string) => void;
  readonly flush: () => Promise<void>;
}

/**
 * Lines on standard output. Not pino's own destination: with a pipe that nobody empties, the thread in which
 * that writes keeps the process from ending.
 */
export function openOutput(to: Writable): Output {
  let gathered = '';
  const pass = (): void => {
    if (gathered !== '') to.write(gathered);
    gathered = '';
  };
  // A log that has lost its reader (`| head`) or its disk is no reason to end.
  to.on('error', () => {});
  process.on('exit', pass);
  return {
    write(line) {
      if (to.writableLength + gathered.length > REQUEST_LIMITS.unwrittenLogBytes) return;
      if (gathered === '') setImmediate(pass);
      gathered += line;
    },
    flush() {
      pass();
      return new Promise((resolve) => {
        const limit = setTimeout(resolve, FLUSH_LIMIT_MS);
        to.write('', () => {
          clearTimeout(limit);
          resolve();
        });
      });
    },
  };
}
