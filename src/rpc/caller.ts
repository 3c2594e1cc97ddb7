import { createContextKey } from '@connectrpc/connect';
import { ANYONE, type Caller, hashSecret } from '../discovery/access.ts';
import { parseToken } from '../discovery/parse.ts';
import type { Token } from '../discovery/types.ts';
import { NO_WORK, type Work } from '../work.ts';

/**
 * ResolveCaller returns the caller of a call, from its headers and the secret in the token, if there is one.
 */
export type ResolveCaller = (secret: string | undefined) => Caller;

/** EVERYBODY resolves every call at a service that does not authenticate callers. */
export const EVERYBODY: ResolveCaller = (secret) =>
  secret === undefined ? ANYONE : { ...ANYONE, proof: hashSecret(secret) };

/** The context key under which a call carries its resolver. */
export const RESOLVE_CALLER = createContextKey<ResolveCaller>(EVERYBODY);

/**
 * ChangeKind is the kind of a change for rate limits. NEW_TOKEN leaves the last tenth of a burst to changes
 * of existing tokens.
 */
export type ChangeKind = 'NEW_TOKEN' | 'OF_TOKEN';

/** Quota limits what one caller may use. Its methods throw a DiscoveryError when a limit is exceeded. */
export interface Quota extends Work {
  /** Called before a token is created. */
  makeToken(): void;
  /**
   * Called before a change, with an estimate of its bytes. Call the returned function once, with the actual
   * bytes.
   */
  change(bytes: number, kind: ChangeKind): (bytes: number) => void;
  /** Called before a watch starts. Call the returned function once, when the watch has ended. */
  watch(): () => void;
}

export const NO_QUOTA: Quota = {
  makeToken() {},
  change: () => () => {},
  watch: () => () => {},
  ...NO_WORK,
};

/** The context key under which a call carries its quota. */
export const QUOTA = createContextKey<Quota>(NO_QUOTA);

/** The caller's address for the log, or its network. */
export const ADDRESS = createContextKey<string | undefined>(undefined);

/** Parses a token as requests name it, TOKEN or TOKEN:SECRET, and resolves its caller. */
export function enter(text: string, resolveCaller: ResolveCaller): { token: Token; caller: Caller } {
  const { token, secret } = splitSecret(text);
  return { token: parseToken(token), caller: resolveCaller(secret) };
}

/** Splits TOKEN:SECRET. The secret is undefined if there is none. */
export function splitSecret(text: string): { token: string; secret: string | undefined } {
  const colon = text.indexOf(':');
  if (colon < 0) return { token: text, secret: undefined };
  return { token: text.slice(0, colon), secret: text.slice(colon + 1) };
}
