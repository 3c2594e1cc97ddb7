import type { ContextValues } from '@connectrpc/connect';
import type { Http2Call } from '../../port/port.ts';

/** GrpcMethod answers a call, or passes it to Connect: `read` is the body, if some of it was already read. */
export type GrpcMethod = (
  call: Http2Call,
  values: ContextValues,
  byConnect: (read?: Uint8Array) => Promise<void>,
) => Promise<void>;
