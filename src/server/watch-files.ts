import { stat } from 'node:fs/promises';
import type { Log } from './telemetry/log.ts';

/** Soon enough for a renewal, and negligible next to the service's other work. */
const LOOK_INTERVAL_MS = 1000;

export interface Reload<T> {
  /** Reads the files. A string says why they cannot be used; the service then keeps the previous contents. */
  readonly read: () => T | string;
  readonly use: (contents: T) => void;
  readonly log: Log;
}

/**
 * Reloads files when one of them has changed. It polls, because mounted secrets are symbolic links that are
 * swapped, which file system events do not report. Returns a function that stops it.
 */
export function reloadOnChange<T>(files: readonly string[], { read, use, log }: Reload<T>): () => void {
  const load = (): boolean => {
    const contents = read();
    if (typeof contents === 'string') {
      log.error({ files }, `files changed but cannot be used, keeping the old contents: ${contents}`);
      return false;
    }
    use(contents);
    return true;
  };
  let seen: string | undefined;
  let passing: string | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const states = await Promise.all(files.map(stateOf));
    looking = false;
    const now = states.join();
    const isFirst = seen === undefined;
    // A file being rewritten may be empty or missing for a moment; a state that lasts a second is intended.
    const mayPass = !isFirst && now !== passing && states.some((state) => state === EMPTY || state === GONE);
    passing = now;
    if (mayPass) return;
    const isNew = now !== seen;
    seen = now;
    // The files were read before the store was opened, which takes time, and may have changed by the first
    // look.
    if (!isNew || (isFirst && now.includes(READ_ONCE))) return;
    if (load() && !isFirst) log.info({ files }, 'files changed and were reloaded');
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_INTERVAL_MS).unref();
  return () => clearInterval(timer);
}

/** The state of a pipe, which can be read once: opening it again could block the process. */
const READ_ONCE = 'read once';
const EMPTY = 'empty';
const GONE = 'ENOENT';

async function stateOf(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) return READ_ONCE;
    return stats.size === 0 ? EMPTY : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
