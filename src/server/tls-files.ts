import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { listsInPem, parseRevocationList } from '../port/revocation-list.ts';
import type { TlsIdentity } from '../port/tls.ts';
import type { TlsFiles } from '../settings/config.ts';

/**
 * Reads the files and checks that they match. A string says what is wrong: one line that names the file, and
 * the flag that starts with the given prefix.
 */
export function readTlsFiles(
  { certFile, keyFile }: TlsFiles,
  flag: 'tls' | 'etcd' = 'tls',
): TlsIdentity | string {
  const [certName, keyName] = [
    `--${flag}-cert ${JSON.stringify(certFile)}`,
    `--${flag}-key ${JSON.stringify(keyFile)}`,
  ];
  const cert = readWhole(certFile);
  if (typeof cert === 'string') return `${certName}: cannot read the file: ${cert}`;
  const key = readWhole(keyFile);
  if (typeof key === 'string') return `${keyName}: cannot read the file: ${key}`;
  const certificate = attempt(() => new X509Certificate(cert));
  if (certificate instanceof Error) return `${certName}: the file does not contain a PEM certificate`;
  const privateKey = attempt((): KeyObject => createPrivateKey(key));
  if (privateKey instanceof Error)
    return `${keyName}: the file does not contain a PEM private key without a passphrase`;
  if (!certificate.checkPrivateKey(privateKey)) {
    return `${keyName}: the key does not match the first certificate in ${certName}`;
  }
  // OpenSSL may reject them for other reasons, such as a key that is too short.
  const context = attempt(() => createSecureContext({ cert, key }));
  return context instanceof Error
    ? `${certName}: cannot use the certificate: ${context.message}`
    : { cert, key };
}

/** Reads the server's certificate and the settings for client certificates. A string says what is wrong. */
export function readServerTls(files: TlsFiles): TlsIdentity | string {
  const { clientCaFile, clientCrlFile, clientNames } = files;
  const identity = readTlsFiles(files);
  if (typeof identity === 'string' || clientCaFile === undefined) return identity;
  const clientCa = readCaFile(clientCaFile, '--tls-client-ca');
  if (typeof clientCa === 'string') return clientCa;
  const clientCrls = clientCrlFile === undefined ? undefined : readCrlFile(clientCrlFile);
  if (typeof clientCrls === 'string') return clientCrls;
  return { ...identity, clientCa, ...(clientCrls && { clientCrls }), ...(clientNames && { clientNames }) };
}

/** Returns the files that the identity is read from. */
export function filesOf({ certFile, keyFile, clientCaFile, clientCrlFile }: TlsFiles): readonly string[] {
  return [certFile, keyFile, clientCaFile, clientCrlFile].filter((file) => file !== undefined);
}

/** Reads revocation lists, each in PEM. A string says what is wrong. */
function readCrlFile(file: string): readonly string[] | string {
  const name = `--tls-client-crl ${JSON.stringify(file)}`;
  const contents = readWhole(file);
  if (typeof contents === 'string') return `${name}: cannot read the file: ${contents}`;
  const pems = listsInPem(contents.toString('latin1'));
  if (pems.length === 0) return `${name}: the file does not contain a PEM revocation list`;
  for (const [i, pem] of pems.entries()) {
    const list = attempt(() => {
      createSecureContext({ crl: pem });
      return parseRevocationList(pem);
    });
    if (list instanceof Error) return `${name}: cannot parse revocation list ${i + 1}`;
    const { nextUpdate = Number.POSITIVE_INFINITY } = list;
    // An outdated list would reject every client.
    if (nextUpdate <= Date.now()) {
      return `${name}: revocation list ${i + 1} expired at ${new Date(nextUpdate).toISOString()}; get a new one from the CA`;
    }
  }
  return pems;
}

/** Reads CA certificates. A string says what is wrong. */
export function readCaFile(file: string, flag: '--etcd-cacert' | '--tls-client-ca'): Buffer | string {
  const name = `${flag} ${JSON.stringify(file)}`;
  const ca = readWhole(file);
  if (typeof ca === 'string') return `${name}: cannot read the file: ${ca}`;
  const certificate = attempt(() => new X509Certificate(ca));
  // X509Certificate also accepts DER.
  if (certificate instanceof Error || !ca.includes('-----BEGIN ')) {
    return `${name}: the file does not contain a PEM certificate`;
  }
  // OpenSSL silently ignores everything after a certificate that it cannot read, so clients that should be
  // admitted would not be.
  const all =
    ca.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^]*?(?:-----END CERTIFICATE-----|$)/g) ?? [];
  const broken = all.findIndex((text) => attempt(() => new X509Certificate(text)) instanceof Error);
  return broken < 0 ? ca : `${name}: cannot parse certificate ${broken + 1}`;
}

/** Returns the contents of a file. A string says why it cannot be read. */
export function readWhole(file: string): Buffer | string {
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
