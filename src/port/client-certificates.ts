import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { isRevoked, parseRevocationList } from './revocation-list.ts';
import type { TlsIdentity } from './tls.ts';

/** Real chains are shorter. */
const LONGEST_CHAIN = 10;

/**
 * Whether the client certificate of a connection has an allowed name. True if certificates are not required.
 */
export function hasAllowedName(socket: Socket, names: readonly string[] | undefined): boolean {
  if (names === undefined || !(socket instanceof TLSSocket)) return true;
  const certificate = socket.getPeerX509Certificate();
  return certificate !== undefined && names.some((name) => isNamed(certificate, name));
}

/** Compares the common name and the alternative names exactly. */
function isNamed(certificate: X509Certificate, name: string): boolean {
  const { CN } = certificate.toLegacyObject().subject as { readonly CN?: string | string[] };
  if ([CN].flat().includes(name)) return true;
  const ofSubject = { subject: 'never', wildcards: false } as const;
  if (certificate.checkHost(name, ofSubject) !== undefined) return true;
  if (isIP(name) !== 0 && certificate.checkIP(name) !== undefined) return true;
  if (certificate.checkEmail(name, ofSubject) !== undefined) return true;
  // Node.js quotes names that could be read as several.
  const uris = (certificate.subjectAltName ?? '').replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(', ');
  return uris.includes(`URI:${name}`);
}

/** Returns a function that says whether the client of an open connection would still be admitted. */
export function stillTrusted({ clientCa, clientCrls = [] }: TlsIdentity): (socket: Socket) => boolean {
  if (clientCa === undefined) return () => true;
  const authorities = certificatesIn(clientCa);
  const lists = clientCrls.map((pem) => parseRevocationList(pem));
  const counts = (certificate: X509Certificate): boolean =>
    Date.parse(certificate.validTo) > Date.now() && !isRevoked(certificate, lists);
  const isTrusted = (first: X509Certificate): boolean => {
    let current = first;
    for (let length = 0; length < LONGEST_CHAIN; length += 1) {
      const here = current;
      if (!counts(here)) return false;
      const issuer = [...authorities, here.issuerCertificate].find((each) => each && isBy(here, each));
      if (issuer === undefined) return false;
      if (isBy(issuer, issuer))
        return counts(issuer) && authorities.some(({ raw }) => raw.equals(issuer.raw));
      current = issuer;
    }
    return false;
  };
  return (socket) => {
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    return certificate === undefined || isTrusted(certificate);
  };
}

function isBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function certificatesIn(pem: Buffer): readonly X509Certificate[] {
  const texts =
    pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return texts.map((text) => new X509Certificate(text));
}
