import type { Writable } from 'node:stream';
import { REQUEST_LIMITS } from '../../limits.ts';

const FLUSH_LIMIT_MS = 1000;

/** Output writes lines, one write for all lines of one turn of the event loop. */
export interface Output {
  readonly write: (line: string) => void;
  readonly flush: () => Promise<void>;
}

/**
 * Opens an output for lines. Not pino's own destination: if nobody reads the pipe, its writing thread keeps
 * the process from ending.
 */
export function openOutput(to: Writable): Output {
  let gathered = '';
  const pass = (): void => {
    if (gathered !== '') to.write(gathered);
    gathered = '';
  };
  // Losing the log's reader (`| head`) or its disk must not end the process.
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
