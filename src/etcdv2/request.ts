import type { MemberValue } from '../etcd/value.ts';

/** An HTTP request with what was read of its body. */
export interface RawRequest {
  readonly method: string;
  /** The request target: a path and a query, or a whole URL as it is sent to a proxy. */
  readonly target: string;
  /** A body of form values; empty when there is none. */
  readonly form: string;
  /** Whether there is a body of another content type. */
  readonly otherBody: boolean;
  /** Its text, which is read for /new alone. */
  readonly otherText?: string | undefined;
}

/** What a v2 request wants of the service. */
export type V2Request = NewRequest | ReadRequest | WaitRequest | WriteRequest | VersionRequest | MovedRequest;

/** A new token; its URL is the answer. */
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
  /** Whose registration ends the wait: any member's, one member's, or (the directory's own events) none. */
  readonly awaited: 'ANY' | 'NONE' | { readonly id: string };
  /** The first revision of interest; 0 is the next one. */
  readonly waitIndex: bigint;
  /** Whether events follow one another until the poll limit. */
  readonly stream: boolean;
}

export type WriteRequest =
  | MakeTokenRequest
  | RegisterRequest
  | { readonly type: 'DEREGISTER'; readonly token: string; readonly id: string }
  | { readonly type: 'DELETE_TOKEN'; readonly token: string }
  /** What etcd refuses to do with a directory, if it is there: write a value, or delete it as a key. */
  | {
      readonly type: 'NOT_A_FILE' | 'NOT_EMPTY';
      readonly token: string;
      readonly directory: 'TOKEN' | 'CONFIG';
    };

/** A token of the caller's choosing, made by setting its size. */
export interface MakeTokenRequest {
  readonly type: 'MAKE_TOKEN';
  readonly token: string;
  readonly size: number;
  /** Whether a token that is there already is in the way, even one of the same size. */
  readonly mustBeNew: boolean;
}

export interface RegisterRequest {
  readonly type: 'REGISTER';
  readonly token: string;
  readonly id: string;
  readonly member: MemberValue;
  readonly condition: Condition;
}

/** What must be so for a member to be written. */
export type Condition =
  /** The key must be free (prevExist=false), there (prevExist=true), or either. */
  | { readonly type: 'CREATE' | 'UPDATE' | 'SET' }
  | {
      readonly type: 'COMPARE';
      readonly prevValue: string | undefined;
      /** 0 is any. */
      readonly prevIndex: bigint;
    };
