import type { ContextValues } from '@connectrpc/connect';
import type { Http2Call } from '../../port/port.ts';
import type { Work } from '../../work.ts';
import type { GrpcCall, Input } from './grpc-call.ts';

export interface GrpcOptions {
  readonly readMaxBytes: number;
  /** Returns the work budget to which a call's response is charged. */
  readonly workOf: (values: ContextValues) => Work;
}

/** GrpcMethod answers a call, or passes it to Connect: `read` is the body, if some of it was already read. */
export type GrpcMethod = (
  call: Http2Call,
  values: ContextValues,
  byConnect: (read?: Uint8Array) => Promise<void>,
) => Promise<void>;

/** The common type of the four kinds of handlers. */
export type Handler = (input: Input, call: GrpcCall) => unknown;
