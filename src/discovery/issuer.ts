import { createHmac } from 'node:crypto';
import { issueSecret } from './access.ts';
import { issueToken } from './issue-token.ts';
import type { Access, Token } from './types.ts';

/** Where a new token and its secrets come from. */
export interface Issuer {
  token(): Token;
  secret(access: Access): string;
}

/** Others each time. */
export const RANDOM_ISSUER: Issuer = { token: issueToken, secret: issueSecret };

/**
 * The same whenever the same is asked by the same caller, on every replica, with nothing stored for it. Nobody can work
 * them out who does not know all of that and the store's key: not even the service remembers the secrets.
 */
export function repeatingIssuer(key: Uint8Array, asked: readonly unknown[]): Issuer {
  const seed = createHmac('sha256', key).update(JSON.stringify(asked)).digest();
  const derive = (what: string): Buffer => createHmac('sha256', seed).update(what).digest();
  return {
    token: () => derive('token').toString('hex', 0, 16) as Token,
    secret: (access) => derive(`secret ${access}`).toString('base64url', 0, 24),
  };
}
