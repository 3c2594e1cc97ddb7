import { type Ip, isOwn, networkOf } from '../../values/ip.ts';
import type { Client } from './client-table.ts';

/** Who has sent a request. */
export interface Visitor {
  /** For the log; undefined when the socket was closed already. */
  readonly address: string | undefined;
  /** Undefined when no limit holds: for this machine, whose owner can do worse. */
  readonly client: Client | undefined;
}

/** The other end of a connection. */
export interface Peer {
  readonly ip: Ip | undefined;
  readonly address: string | undefined;
  /** Undefined when no limit holds. */
  readonly name: string | undefined;
  readonly isProxy: boolean;
  /** Of a trusted proxy: whom its last request was from, by what its headers said. */
  last?: Forwarded;
}

export interface Forwarded {
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
  readonly address: string;
  readonly name: string | undefined;
}

/** Undefined for this machine. */
export function nameOf(ip: Ip): string | undefined {
  return isOwn(ip) ? undefined : networkOf(ip);
}
