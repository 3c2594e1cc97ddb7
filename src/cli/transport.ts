import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Transport } from '@connectrpc/connect';
import { discoveryTransport } from '../client/node.ts';
import { EXIT, Failure } from './exit.ts';

/** How to reach a service. */
export interface ServiceAccess {
  readonly server: string;
  readonly cacert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** NAME:SECRET, or a secret alone. */
  readonly credentials: string | undefined;
}

/** A restart takes a second or two; somebody who has the URL wrong should not wait much longer to hear it. */
const RETRY_FOR_MS = 3000;

/** What a command sends its calls by, with what proves who is asking. */
export function openTransport({ server, cacert, cert, key, credentials }: ServiceAccess): Transport {
  if ((cert === undefined) !== (key === undefined)) {
    throw new Failure(EXIT.WRONG, '--cert and --key belong together: give both, or neither');
  }
  const tls = {
    ...(cacert !== undefined && { ca: read('--cacert', cacert) }),
    ...(cert !== undefined && { cert: read('--cert', cert) }),
    ...(key !== undefined && { key: read('--key', key) }),
  };
  checkTls(tls);
  const headers = credentials === undefined ? {} : { Authorization: authorization(credentials) };
  return discoveryTransport(server, { retryForMs: RETRY_FOR_MS, tls, headers });
}

function authorization(credentials: string): string {
  // The end of a line, mostly, of the file that they come from.
  if (!/^[\x21-\x7e]+$/.test(credentials)) {
    throw new Failure(
      EXIT.WRONG,
      'DISC_CREDENTIALS: no space or end of a line may be in it, nor letters beyond ASCII',
    );
  }
  if (!credentials.includes(':')) return `Bearer ${credentials}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** So that a wrong file is told as such, and not as a connection that fails. */
function checkTls(tls: SecureContextOptions & { readonly ca?: string }): void {
  // Node.js does not mind a CA file with nothing in it.
  if (tls.ca !== undefined && !tls.ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Failure(EXIT.WRONG, '--cacert: there is no certificate in PEM in that file');
  }
  try {
    createSecureContext(tls);
  } catch (error) {
    const what = '--cert and --key need a certificate and its private key, in PEM and without a passphrase';
    throw new Failure(EXIT.WRONG, `${what}: ${(error as Error).message}`);
  }
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(EXIT.WRONG, `${flag} ${JSON.stringify(file)}: ${(error as Error).message}`);
  }
}
