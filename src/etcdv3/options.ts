import type { HandlerContext } from '@connectrpc/connect';
import type { LocalClient } from '../etcd/client.ts';
import type { Identity } from './header.ts';

export interface GatewayOptions {
  readonly identity: Identity;
  /** The URL by which the client of a call reaches the service. */
  readonly urlFor: (context: Pick<HandlerContext, 'url' | 'values'>) => string;
  /**
   * What a caller sends as `token` from then on, given its name and password; undefined when they are not known.
   * Without this, it answers as an etcd with authentication off.
   */
  readonly signIn?: ((name: string, password: string) => string | undefined) | undefined;
  readonly progressIntervalMs?: number;
  /** How often it is looked whether the expired token of a watch was reopened. */
  readonly expiredPauseMs?: number;
  /** Aborted when the service stops: streams without a running watch hear of it in no other way. */
  readonly stopping: AbortSignal;
  /** Is told of errors that nobody foresaw. */
  readonly onDefect: (defect: unknown) => void;
}

/** The client for the calls that one of etcd's comes to: it speaks for whoever made that. */
export type ClientOf = (context: Pick<HandlerContext, 'values'>) => LocalClient;
