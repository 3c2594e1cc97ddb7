import { type ContextValues, createContextKey } from '@connectrpc/connect';
import type { Reason } from '../discovery/errors.ts';
import type { Written } from '../discovery/store.ts';

/** ReportedCaller identifies the caller of a change, as far as it is known. */
export interface ReportedCaller {
  /** The name of its credential. */
  readonly name: string | undefined;
  readonly address: string | undefined;
}

/** RefusedChange is a change that was rejected. */
export interface RefusedChange {
  readonly reason: Reason;
  /** The token as named in the request. Unset if the request asks for a new one. */
  readonly token: string | undefined;
  /** The name of the node as given in the request. */
  readonly memberName: string | undefined;
  readonly by: ReportedCaller;
}

/** Reports are the callbacks that receive the outcome of calls. */
export interface Reports {
  /** Called for every rejected call. */
  readonly onRefused?: (reason: Reason) => void;
  readonly onChanged?: (written: Written, by: ReportedCaller) => void;
  readonly onChangeRefused?: (refused: RefusedChange) => void;
}

/** Noted is the call as the log line of its request reports it. It is filled while the call is handled. */
export interface Noted {
  /** The token as named in the request, with or without a secret. */
  token?: string;
  /** The reason why the call was rejected. */
  reason?: string;
}

/** The context key under which a call carries its note. Undefined if nothing is logged. */
export const NOTED = createContextKey<Noted | undefined>(undefined);

export function noteToken(values: ContextValues, token: string | undefined): void {
  const noted = values.get(NOTED);
  if (noted !== undefined && token !== undefined && token !== '') noted.token = token;
}

export function noteReason(values: ContextValues, reason: Reason): void {
  const noted = values.get(NOTED);
  if (noted !== undefined) noted.reason = reason;
}
