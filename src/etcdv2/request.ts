import type { MemberValue } from '../etcd/value.ts';

/** RawRequest is an HTTP request with the part of its body that was read. */
export interface RawRequest {
  readonly method: string;
  /** The request target: a path and query, or a whole URL as sent to a proxy. */
  readonly target: string;
  /** The form in the body. Empty if there is none. */
  readonly form: string;
  /** Whether there is a body of another content type. */
  readonly otherBody: boolean;
  /** The text of that body, which is read only for /new. */
  readonly otherText?: string | undefined;
}

/** V2Request is what a v2 request asks of the service. */
export type V2Request = NewRequest | ReadRequest | WaitRequest | WriteRequest | VersionRequest | MovedRequest;

/** NewRequest asks for a new token, whose URL is the response. */
export interface NewRequest {
  readonly type: 'NEW';
  readonly size: number;
}

export interface VersionRequest {
  readonly type: 'VERSION';
}

export interface MovedRequest {
  readonly type: 'MOVED';
  /** Path and query, percent-encoded. */
  readonly location: string;
}

export type ReadRequest =
  | { readonly type: 'GET_SIZE' | 'GET_CONFIG'; readonly token: string }
  | { readonly type: 'LIST'; readonly token: string; readonly sorted: boolean }
  | { readonly type: 'GET_MEMBER'; readonly token: string; readonly id: string };

export interface WaitRequest {
  readonly type: 'WAIT';
  readonly token: string;
  /**
   * Whose registration ends the wait: any member's, one member's, or (events of the directory itself)
   * nobody's.
   */
  readonly awaited: 'ANY' | 'NONE' | { readonly id: string };
  /** The first revision of interest. 0: the next one. */
  readonly waitIndex: bigint;
  /** Whether events are streamed until the poll limit. */
  readonly stream: boolean;
}

export type WriteRequest =
  | MakeTokenRequest
  | RegisterRequest
  | { readonly type: 'DEREGISTER'; readonly token: string; readonly id: string }
  | { readonly type: 'DELETE_TOKEN'; readonly token: string }
  /** An operation that etcd rejects for an existing directory: writing a value, or deleting it as a key. */
  | {
      readonly type: 'NOT_A_FILE' | 'NOT_EMPTY';
      readonly token: string;
      readonly directory: 'TOKEN' | 'CONFIG';
    };

/** MakeTokenRequest creates a token chosen by the caller by setting its size. */
export interface MakeTokenRequest {
  readonly type: 'MAKE_TOKEN';
  readonly token: string;
  readonly size: number;
  /** Whether the request fails if the token already exists, even with the same size. */
  readonly mustBeNew: boolean;
}

export interface RegisterRequest {
  readonly type: 'REGISTER';
  readonly token: string;
  readonly id: string;
  readonly member: MemberValue;
  readonly condition: Condition;
}

/** Condition must hold for a member to be written. */
export type Condition =
  /** The key must not exist (prevExist=false), must exist (prevExist=true), or either. */
  | { readonly type: 'CREATE' | 'UPDATE' | 'SET' }
  | {
      readonly type: 'COMPARE';
      readonly prevValue: string | undefined;
      /** 0: any. */
      readonly prevIndex: bigint;
    };
