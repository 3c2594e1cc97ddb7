import { createHmac } from 'node:crypto';
import { issueSecret } from './access.ts';
import { issueToken } from './issue-token.ts';
import type { Access, Token } from './types.ts';

/** Issuer generates new tokens and secrets. */
export interface Issuer {
  token(): Token;
  secret(access: Access): string;
}

/** RANDOM_ISSUER returns different ones each time. */
export const RANDOM_ISSUER: Issuer = { token: issueToken, secret: issueSecret };

/**
 * Returns an issuer that derives the token and secrets from the request, its caller and the store's key.
 * Repeating the request gives the same result on every replica without storing anything. Only someone who
 * knows all of these can compute the secrets; the service itself does not store them.
 */
export function repeatingIssuer(key: Uint8Array, asked: readonly unknown[]): Issuer {
  const seed = createHmac('sha256', key).update(JSON.stringify(asked)).digest();
  const derive = (what: string): Buffer => createHmac('sha256', seed).update(what).digest();
  return {
    token: () => derive('token').toString('hex', 0, 16) as Token,
    secret: (access) => derive(`secret ${access}`).toString('base64url', 0, 24),
  };
}
