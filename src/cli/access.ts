import { readFileSync } from 'node:fs';
import { quote } from '../values/quote.ts';
import type { ServiceAccess } from './api/post.ts';
import { EXIT, Failure } from './exit.ts';

/** GivenAccess is how to reach a service, with the names of the files. */
export interface GivenAccess {
  readonly server: string;
  readonly cacert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** NAME:SECRET, or only a secret. */
  readonly credentials: string | undefined;
}

/** Reads and checks the files and the credentials. */
export function readAccess({ server, cacert, cert, key, credentials }: GivenAccess): ServiceAccess {
  if ((cert === undefined) !== (key === undefined)) {
    throw new Failure(
      EXIT.WRONG,
      'a client certificate requires its private key: set both --cert (DISC_CERT) and --key (DISC_KEY)',
    );
  }
  const tls = {
    ...(cacert !== undefined && { ca: read('--cacert (DISC_CACERT)', cacert) }),
    ...(cert !== undefined && { cert: read('--cert (DISC_CERT)', cert) }),
    ...(key !== undefined && { key: read('--key (DISC_KEY)', key) }),
  };
  checkTls(tls);
  const headers = credentials === undefined ? {} : { Authorization: authorization(credentials) };
  return { server, tls, headers };
}

function authorization(credentials: string): string {
  // Usually the line break of the file that they come from.
  if (!/^[\x21-\x7e]+$/.test(credentials)) {
    throw new Failure(EXIT.WRONG, 'DISC_CREDENTIALS must be printable ASCII without spaces or line breaks');
  }
  if (!credentials.includes(':')) return `Bearer ${credentials}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Reports an invalid file as such instead of as a failed connection. */
function checkTls(tls: ServiceAccess['tls']): void {
  if (Object.keys(tls).length === 0) return;
  // Node.js accepts an empty CA file.
  if (tls.ca !== undefined && !tls.ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Failure(EXIT.WRONG, '--cacert (DISC_CACERT): the file does not contain a PEM certificate');
  }
  try {
    process.getBuiltinModule('node:tls').createSecureContext(tls);
  } catch (error) {
    const what =
      '--cert and --key (DISC_CERT, DISC_KEY) require a certificate and its private key, in PEM and without a passphrase';
    throw new Failure(EXIT.WRONG, `${what}: ${(error as Error).message}`);
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Failure(
      EXIT.FAILED,
      `${flag} ${quote(file)}: cannot read the file: ${FILE_ERRORS[code] ?? message}`,
    );
  }
}
