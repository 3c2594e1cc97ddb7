import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { listsInPem, parseRevocationList } from '../port/revocation-list.ts';
import type { TlsIdentity } from '../port/tls.ts';
import type { TlsFiles } from '../settings/config.ts';

/**
 * Reads the files and checks that they fit. Else the answer is why not: one line that names the file, and its
 * flag by how that begins.
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
  if (typeof cert === 'string') return `${certName}: cannot be read: ${cert}`;
  const key = readWhole(keyFile);
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

/** Reads what the service proves itself with, and what its clients do. Else one line that says why not. */
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

/** The files that these are read from. */
export function filesOf({ certFile, keyFile, clientCaFile, clientCrlFile }: TlsFiles): readonly string[] {
  return [certFile, keyFile, clientCaFile, clientCrlFile].filter((file) => file !== undefined);
}

/** Reads revocation lists, each in PEM, or says in one line why they cannot be used. */
function readCrlFile(file: string): readonly string[] | string {
  const name = `--tls-client-crl ${JSON.stringify(file)}`;
  const contents = readWhole(file);
  if (typeof contents === 'string') return `${name}: cannot be read: ${contents}`;
  const pems = listsInPem(contents.toString('latin1'));
  if (pems.length === 0) return `${name}: holds no revocation list in PEM`;
  for (const [i, pem] of pems.entries()) {
    const list = attempt(() => {
      createSecureContext({ crl: pem });
      return parseRevocationList(pem);
    });
    if (list instanceof Error) return `${name}: its list number ${i + 1} cannot be read`;
    const { nextUpdate = Number.POSITIVE_INFINITY } = list;
    // With it nobody at all would be let in.
    if (nextUpdate <= Date.now()) {
      return `${name}: its list number ${i + 1} was good until ${new Date(nextUpdate).toISOString()}; get the next one from the CA`;
    }
  }
  return pems;
}

/** Reads certificates of authorities, or says in one line why they cannot be used. */
export function readCaFile(file: string, flag: '--etcd-cacert' | '--tls-client-ca'): Buffer | string {
  const name = `${flag} ${JSON.stringify(file)}`;
  const ca = readWhole(file);
  if (typeof ca === 'string') return `${name}: cannot be read: ${ca}`;
  const certificate = attempt(() => new X509Certificate(ca));
  // What is read here may be DER as well.
  if (certificate instanceof Error || !ca.includes('-----BEGIN ')) {
    return `${name}: holds no certificate in PEM`;
  }
  // OpenSSL leaves out in silence what comes after one that it cannot read: clients that were let in would not be.
  const all =
    ca.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^]*?(?:-----END CERTIFICATE-----|$)/g) ?? [];
  const broken = all.findIndex((text) => attempt(() => new X509Certificate(text)) instanceof Error);
  return broken < 0 ? ca : `${name}: its certificate number ${broken + 1} cannot be read`;
}

/** The contents of a file, or in words why there are none. */
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
