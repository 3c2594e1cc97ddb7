import { stat } from 'node:fs/promises';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Port } from '../port/port.ts';
import type { TlsIdentity } from '../port/tls.ts';
import type { Config } from '../settings/config.ts';
import { type KnownCallers, NOBODY, readAuthFile } from './clients/auth-file.ts';
import { Callers } from './clients/callers.ts';
import type { Log } from './telemetry/log.ts';
import { readServerTls } from './tls-files.ts';

/** Soon enough for a renewal, and nothing beside what else a service does. */
const LOOK_INTERVAL_MS = 1000;

/** Who may call, as configured. Throws an INVALID_ARGUMENT that names the file when it cannot be used. */
export function openCallers({ mode, file }: Config['auth']): Callers {
  const known = file === undefined ? NOBODY : readAuthFile(file);
  if (typeof known === 'string') throw new DiscoveryError('INVALID_ARGUMENT', known);
  return new Callers(mode, known);
}

/** Keeps the certificates and the known callers as their files are. Returns what ends it. */
export function reloadFiles(
  { tls, auth: { file } }: Pick<Config, 'tls' | 'auth'>,
  { callers, port, log }: { callers: Callers; port: Port; log: Log },
): () => void {
  const ends: Array<() => void> = [];
  if (tls !== undefined) {
    const files = [tls.certFile, tls.keyFile, ...(tls.clientCaFile === undefined ? [] : [tls.clientCaFile])];
    const parts = { read: () => readServerTls(tls), use: (now: TlsIdentity) => port.renewTls(now), log };
    ends.push(reloadOnChange(files, parts));
  }
  if (file !== undefined) {
    const parts = { read: () => readAuthFile(file), use: (now: KnownCallers) => callers.renew(now), log };
    ends.push(reloadOnChange([file], parts));
  }
  return () => {
    for (const end of ends) end();
  };
}

interface Reload<T> {
  /** Answers in one line why what is there now cannot be used; the service then goes on with what it had. */
  readonly read: () => T | string;
  readonly use: (contents: T) => void;
  readonly log: Log;
}

/**
 * Loads files again when one of them has changed. Looked at by time, as mounted secrets are links that are swapped,
 * which the events of a file system do not tell. Returns what ends it.
 */
function reloadOnChange<T>(files: readonly string[], { read, use, log }: Reload<T>): () => void {
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
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const now = (await Promise.all(files.map(stateOf))).join();
    const isFirst = seen === undefined;
    const isNew = now !== seen;
    seen = now;
    looking = false;
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

async function stateOf(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    return stats.isFile() ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : READ_ONCE;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
