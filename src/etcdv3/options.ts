import type { HandlerContext } from '@connectrpc/connect';
import type { LocalClient } from '../etcd/client.ts';
import type { ServerIdentity } from './header.ts';

export interface V3GatewayOptions {
  readonly identity: ServerIdentity;
  /** Returns the URL by which the client of a call reaches the service. */
  readonly urlFor: (context: Pick<HandlerContext, 'url' | 'values'>) => string;
  /**
   * Returns what the caller sends as `token` from now on, given its name and password; undefined if they are
   * invalid. Without this function, the service answers like an etcd with authentication off.
   */
  readonly signIn?: ((name: string, password: string) => string | undefined) | undefined;
  readonly progressIntervalMs?: number;
  /** How often an expired token of a watch is checked for reopening, in ms. */
  readonly expiredPauseMs?: number;
  /** Aborted when the service stops: streams without a running watch are not notified in any other way. */
  readonly stopping: AbortSignal;
  /** Called for unexpected errors. */
  readonly onDefect: (defect: unknown) => void;
}

/** V3ClientOf returns the client for the calls behind one of etcd's, which acts for its caller. */
export type V3ClientOf = (context: Pick<HandlerContext, 'values'>) => LocalClient;

export interface WatchStreamOptions {
  readonly identity: ServerIdentity;
  /** Converts a failure for the client. */
  readonly refused: (thrown: Error) => Error;
  /** Called once, when the stream has ended or its client has left. */
  readonly onEnded: () => void;
  /** The interval at which an expired token is checked for reopening. */
  readonly expiredPauseMs: number | undefined;
}
