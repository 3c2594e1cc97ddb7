import { stat } from 'node:fs/promises';
import type { Log } from './telemetry/log.ts';

/** Soon enough for a renewal, and nothing beside what else a service does. */
const LOOK_INTERVAL_MS = 1000;

export interface Reload<T> {
  /** Answers in one line why what is there now cannot be used; the service then goes on with what it had. */
  readonly read: () => T | string;
  readonly use: (contents: T) => void;
  readonly log: Log;
}

/**
 * Loads files again when one of them has changed. Looked at by time, as mounted secrets are links that are swapped,
 * which the events of a file system do not tell. Returns what ends it.
 */
export function reloadOnChange<T>(files: readonly string[], { read, use, log }: Reload<T>): () => void {
  const load = (): boolean => {
    const contents = read();
    if (typeof contents === 'string') {
      log.error({ files }, `files have changed, and the old ones stay in use: ${contents}`);
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
    // Who writes a file anew may empty it or take it away before: what stays so for a second is meant.
    const mayPass = !isFirst && now !== passing && states.some((state) => state === EMPTY || state === GONE);
    passing = now;
    if (mayPass) return;
    const isNew = now !== seen;
    seen = now;
    // They were read before the store was opened, which takes its time, and may be others at the first look.
    if (!isNew || (isFirst && now.includes(READ_ONCE))) return;
    if (load() && !isFirst) log.info({ files }, 'files have changed and were read again');
  };
  void look();
  const timer = setInterval(() => void look(), LOOK_INTERVAL_MS).unref();
  return () => clearInterval(timer);
}

/** The state of a pipe, which gives what it has once: to open it again could block the process. */
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
