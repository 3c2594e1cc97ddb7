import type { X509Certificate } from 'node:crypto';
import { type Element, elements, TAG } from './der.ts';

/** RevocationList is what a CA has revoked. */
export interface RevocationList {
  /** The CA's name as in its certificates. */
  readonly issuer: string;
  readonly serials: ReadonlySet<string>;
  /** When the list becomes outdated, in ms since 1970. Unset: never. */
  readonly nextUpdate: number | undefined;
}

/** Returns the lists of a PEM file, each in PEM. */
export function listsInPem(text: string): readonly string[] {
  return text.match(/-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g) ?? [];
}

/** Parses a list. Throws a RangeError if it is not one of RFC 5280. */
export function parseRevocationList(pem: string): RevocationList {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
  const [list] = elements(der);
  const [signed] = elements(list?.body ?? der);
  const fields = elements(signed?.body ?? der);
  // The oldest form has no version.
  const [, issuer, , ...rest] = fields[0]?.tag === TAG.INTEGER ? fields.slice(1) : fields;
  if (issuer?.tag !== TAG.SEQUENCE) throw new RangeError('a list without an issuer');
  const [next, ...others] = rest;
  const time = next && timeOf(next);
  const revoked = time === undefined ? next : others[0];
  const entries = revoked?.tag === TAG.SEQUENCE ? elements(revoked.body) : [];
  return {
    issuer: issuer.whole.toString('hex'),
    serials: new Set(entries.map(({ body }) => elements(body)[0]?.body.toString('hex') ?? '')),
    nextUpdate: time,
  };
}

/** Whether one of the lists contains a certificate. */
export function isRevoked({ raw }: X509Certificate, lists: readonly RevocationList[]): boolean {
  const [certificate] = elements(raw);
  const [signed] = elements(certificate?.body ?? raw);
  const fields = elements(signed?.body ?? raw);
  const [serial, , issuer] = fields[0]?.tag === TAG.VERSION ? fields.slice(1) : fields;
  const [number, name] = [serial?.body.toString('hex') ?? '', issuer?.whole.toString('hex')];
  return lists.some((list) => list.issuer === name && list.serials.has(number));
}

function timeOf({ tag, body }: Element): number | undefined {
  if (tag !== TAG.UTC_TIME && tag !== TAG.TIME) return undefined;
  const text = body.toString('latin1');
  const century = tag === TAG.TIME ? '' : Number(text.slice(0, 2)) < 50 ? '20' : '19';
  return Date.parse(
    `${century}${text}`.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
}
