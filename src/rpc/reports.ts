import { type ContextValues, createContextKey } from '@connectrpc/connect';
import type { Reason } from '../discovery/errors.ts';
import type { Written } from '../discovery/store.ts';

/** Who asks for a change, as far as it is known. */
export interface Asker {
  /** Of its credential. */
  readonly name: string | undefined;
  readonly address: string | undefined;
}

/** A change that was refused. */
export interface RefusedChange {
  readonly reason: Reason;
  /** As the request names it; unset where it asks for a new one. */
  readonly token: string | undefined;
  /** Of the node, as the request has it. */
  readonly memberName: string | undefined;
  readonly by: Asker;
}

/** Who is told what becomes of calls. */
export interface Reports {
  /** Why a call was refused, each of them. */
  readonly onRefused?: (reason: Reason) => void;
  readonly onChanged?: (written: Written, by: Asker) => void;
  readonly onChangeRefused?: (refused: RefusedChange) => void;
}

/** What the line of a request says of the call that it made: filled while that is answered. */
export interface Noted {
  /** As the request names it, with a secret behind it or without. */
  token?: string;
  /** Why it was refused. */
  reason?: string;
}

/** Where a call carries it; undefined where nobody asks. */
export const NOTED = createContextKey<Noted | undefined>(undefined);

export function noteToken(values: ContextValues, token: string | undefined): void {
  const noted = values.get(NOTED);
  if (noted !== undefined && token !== undefined && token !== '') noted.token = token;
}

export function noteReason(values: ContextValues, reason: Reason): void {
  const noted = values.get(NOTED);
  if (noted !== undefined) noted.reason = reason;
}
