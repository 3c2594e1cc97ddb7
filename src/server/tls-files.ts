import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { getSystemErrorMap } from 'node:util';

/** Where the certificate (with its chain) and its private key are, both in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a server proves itself with: the contents of the files. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Reads the files and checks that they fit. Else the answer is why not: one line that names the file. */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): TlsIdentity | string {
  const [certName, keyName] = [
    `--tls-cert ${JSON.stringify(certFile)}`,
    `--tls-key ${JSON.stringify(keyFile)}`,
  ];
  const cert = read(certFile);
  if (typeof cert === 'string') return `${certName}: cannot be read: ${cert}`;
  const key = read(keyFile);
  if (typeof key === 'string') return `${keyName}: cannot be read: ${key}`;
  const certificate = attempt(() => new X509Certificate(cert));
  if (certificate instanceof Error) return `${certName}: holds no certificate in PEM`;
  const privateKey = attempt((): KeyObject => createPrivateKey(key));
  if (privateKey instanceof Error) return `${keyName}: holds no private key in PEM without a passphrase`;
  if (!certificate.checkPrivateKey(privateKey)) {
    return `${keyName}: is not the key of the first certificate in ${certName}`;
  }
  // What OpenSSL does not take for other reasons, like a key that is too short.
  const context = attempt(() => createSecureContext({ cert, key }));
  return context instanceof Error ? `${certName}: cannot be used: ${context.message}` : { cert, key };
}

function read(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch (error) {
    const { errno = 0, code = 'unknown error' } = error as NodeJS.ErrnoException;
    return getSystemErrorMap().get(errno)?.[1] ?? code;
  }
}

function attempt<T>(of: () => T): T | Error {
  try {
    return of();
  } catch (error) {
    return error as Error;
  }
}
