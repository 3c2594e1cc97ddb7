import { existsSync } from 'node:fs';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Port } from '../port/port.ts';
import type { TlsIdentity } from '../port/tls.ts';
import type { Config } from '../settings/config.ts';
import { type KnownCallers, NOBODY, readAuthFile } from './clients/auth-file.ts';
import { Callers, type IsOwn } from './clients/callers.ts';
import type { Log } from './telemetry/log.ts';
import { filesOf, readServerTls } from './tls-files.ts';
import { reloadOnChange } from './watch-files.ts';

/** Returns the callers as configured. Throws an INVALID_ARGUMENT that names the file if it cannot be used. */
export function openCallers({ mode, file, operatorNames }: Config['auth'], isOwn: IsOwn): Callers {
  const known = file === undefined ? NOBODY : readAuthFile(file);
  if (typeof known === 'string') throw new DiscoveryError('INVALID_ARGUMENT', known);
  return new Callers(mode, known, isOwn, operatorNames);
}

interface Used {
  readonly callers: Callers;
  readonly port: Pick<Port, 'renewTls'>;
  readonly log: Log;
}

/**
 * Keeps the certificates and the known callers in step with their files, and closes the connections and
 * streams of clients that are no longer admitted. Returns a function that stops this.
 */
export function reloadFiles(
  { tls, auth: { file } }: Pick<Config, 'tls' | 'auth'>,
  { callers, port, log }: Used,
): () => void {
  const ends: Array<() => void> = [];
  if (tls !== undefined) {
    const use = (now: TlsIdentity): void => {
      const closed = port.renewTls(now);
      if (closed > 0)
        log.warn(
          { connections: closed },
          'closed connections of client certificates that are no longer valid',
        );
    };
    ends.push(reloadOnChange(filesOf(tls), { read: () => readServerTls(tls), use, log }));
  }
  if (file !== undefined) {
    const use = (now: KnownCallers): void => {
      const ended = callers.renew(now);
      if (now.size === 0) log.error({ file }, EMPTIED);
      if (ended > 0)
        log.warn({ file, ended }, 'ended the waits and streams of callers whose credentials were removed');
    };
    ends.push(reloadOnChange([file], { read: () => readCallers(file), use, log }));
  }
  return () => {
    for (const end of ends) end();
  };
}

const EMPTIED =
  'the file of callers is empty or missing: calls that require credentials from it are rejected until it lists callers again';

/**
 * As after a restart, a missing file admits nobody: keeping the old callers would make it impossible to
 * remove the last one.
 */
function readCallers(file: string): KnownCallers | string {
  return existsSync(file) ? readAuthFile(file) : NOBODY;
}
