import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { DiscoveryClient } from '../client/index.ts';
import { createDiscoveryClient } from '../client/node.ts';
import { EXIT, Failure } from './exit.ts';

/** How to reach a service. */
export interface Access {
  readonly server: string;
  readonly cacert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A restart takes a second or two; somebody who has the URL wrong should not wait much longer to hear it. */
const RETRY_FOR_MS = 3000;

/** The client of a command. What proves who is asking belongs here. */
export function openClient({ server, cacert, cert, key }: Access): DiscoveryClient {
  if ((cert === undefined) !== (key === undefined)) {
    throw new Failure(EXIT.WRONG, '--cert and --key belong together: give both, or neither');
  }
  const tls = {
    ...(cacert !== undefined && { ca: read('--cacert', cacert) }),
    ...(cert !== undefined && { cert: read('--cert', cert) }),
    ...(key !== undefined && { key: read('--key', key) }),
  };
  checkTls(tls);
  return createDiscoveryClient(server, { retryForMs: RETRY_FOR_MS, tls });
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
