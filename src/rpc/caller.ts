import { createContextKey } from '@connectrpc/connect';
import { ANYONE, type Caller, hashSecret } from '../discovery/access.ts';
import { parseToken } from '../discovery/parse.ts';
import type { Token } from '../discovery/types.ts';
import { NO_WORK, type Work } from '../work.ts';

/** What a caller may do: as the headers of its call say, and with the secret behind a token where there is one. */
export type ResolveCaller = (secret: string | undefined) => Caller;

/** Of everybody, at a service that asks nobody who it is. */
export const EVERYBODY: ResolveCaller = (secret) =>
  secret === undefined ? ANYONE : { ...ANYONE, proof: hashSecret(secret) };

/** Where a call carries it. */
export const RESOLVE_CALLER = createContextKey<ResolveCaller>(EVERYBODY);

/** NEW_TOKEN leaves the last tenth of a burst to the changes of tokens that there are. */
export type ChangeKind = 'NEW_TOKEN' | 'OF_TOKEN';

/** What a caller may take. What asks throws a DiscoveryError when it is too much. */
export interface Quota extends Work {
  /** Asked before a token is made. */
  makeToken(): void;
  /**
   * Asked before something is changed, with about how many bytes that is. What it returns is called once, with how
   * many it was.
   */
  change(bytes: number, kind: ChangeKind): (bytes: number) => void;
  /** Asked before a watch begins. What it returns is called once, when that is over. */
  watch(): () => void;
}

export const NO_QUOTA: Quota = {
  makeToken() {},
  change: () => () => {},
  watch: () => () => {},
  ...NO_WORK,
};

/** Where a call carries it. */
export const QUOTA = createContextKey<Quota>(NO_QUOTA);

/** Who calls, for the log: an address, or the network of one. */
export const ADDRESS = createContextKey<string | undefined>(undefined);

/** A token as requests name it, TOKEN or TOKEN:SECRET, and what its caller may do. */
export function enter(text: string, resolveCaller: ResolveCaller): { token: Token; caller: Caller } {
  const { token, secret } = splitSecret(text);
  return { token: parseToken(token), caller: resolveCaller(secret) };
}

/** The secret is undefined when there is none behind the token. */
export function splitSecret(text: string): { token: string; secret: string | undefined } {
  const colon = text.indexOf(':');
  if (colon < 0) return { token: text, secret: undefined };
  return { token: text.slice(0, colon), secret: text.slice(colon + 1) };
}
