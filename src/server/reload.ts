import { stat } from 'node:fs/promises';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Port } from '../port/port.ts';
import type { Config } from '../settings/config.ts';
import { NOBODY, readAuthFile } from './clients/auth-file.ts';
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
  const keep = <T extends object>(
    files: readonly string[],
    read: () => T | string,
    use: (now: T) => void,
  ): void => {
    const load = (): string | undefined => {
      const now = read();
      if (typeof now === 'string') return now;
      use(now);
      return undefined;
    };
    ends.push(reloadOnChange(files, load, log));
  };
  if (tls !== undefined) {
    const files = [tls.certFile, tls.keyFile, ...(tls.clientCaFile === undefined ? [] : [tls.clientCaFile])];
    keep(
      files,
      () => readServerTls(tls),
      (identity) => port.renewTls(identity),
    );
  }
  if (file !== undefined)
    keep(
      [file],
      () => readAuthFile(file),
      (known) => callers.renew(known),
    );
  return () => {
    for (const end of ends) end();
  };
}

/**
 * Loads files again when one of them has changed. `load` answers in one line why what is there now cannot be used;
 * the service then goes on with what it had. Looked at by time, as mounted secrets are links that are swapped,
 * which the events of a file system do not tell. Returns what ends it.
 */
function reloadOnChange(files: readonly string[], load: () => string | undefined, log: Log): () => void {
  const state = async (): Promise<string> => (await Promise.all(files.map(stateOf))).join();
  const begin = async (): Promise<string> => {
    const now = await state();
    // They were read before the store was opened, which takes its time, and may be others by now.
    const problem = now.includes(READ_ONCE) ? undefined : load();
    if (problem !== undefined)
      log.error({ files }, `files have changed, and the old ones stay in use: ${problem}`);
    return now;
  };
  let seen = begin();
  let looking = false;
  const look = async (): Promise<void> => {
    const [before, now] = [await seen, await state()];
    if (now === before) return;
    seen = Promise.resolve(now);
    const problem = load();
    if (problem === undefined) log.info({ files }, 'files have changed and were read again');
    else log.error({ files }, `files have changed, and the old ones stay in use: ${problem}`);
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, LOOK_INTERVAL_MS).unref();
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
