import type { Socket } from 'node:net';
import type { PortRequest, PortResponse } from './connection.ts';
import type { PortLimits } from './limits.ts';
import type { OnRefused } from './refusals.ts';
import type { TlsIdentity } from './tls.ts';
import type { Turns } from './turns.ts';
import type { Unread } from './unread.ts';
import type { Warner } from './warn-rarely.ts';

/** Answers one request. What it throws or rejects with becomes a 500 and a log line. */
export type PortHandler = (request: PortRequest, response: PortResponse) => unknown;

/** The part of a logger that the port needs. No line holds a path: paths hold tokens. */
export interface PortLog extends Warner {
  error(fields: object, text: string): void;
}

/** A connection as one of its client's. */
export interface ConnectionCount {
  /** Past the limit of the client: told so, where the protocol can, or dropped. */
  readonly verdict: 'WELCOME' | 'REFUSED' | 'DROPPED';
  end(): void;
}

export type ErrorPage = (
  request: PortRequest,
  error: { readonly status: number; readonly text: string; readonly type: string },
) => { readonly headers: Readonly<Record<string, string>>; readonly body: string | Buffer } | undefined;

/** What a port does with what comes: given when it is opened, and handed to all of its parts. */
export interface PortSetup {
  readonly handler: PortHandler;
  /** Called as Node hands a request over: the handler gets it in a later turn, out of its asynchronous context. */
  readonly onArrival: (request: PortRequest) => void;
  readonly log: PortLog;
  readonly limits: PortLimits;
  /** With it the port speaks TLS, and nothing in clear text. */
  readonly tls: TlsIdentity | undefined;
  /** Told of each connection and request that the port refuses by itself. */
  readonly onRefused: OnRefused;
  /** Counts the connections of each client. Undefined: of one that has no limit. */
  readonly connect: (socket: Socket) => ConnectionCount | undefined;
  /** The client that has sent a request, by a name. Undefined: one that has no limit. */
  readonly clientOf: (request: PortRequest) => string | undefined;
  /** What is unread of all answers. */
  readonly unread: Unread;
  /** When requests are begun. */
  readonly turns: Turns;
  /** Writes a refusal for a person with a browser; undefined for all others. */
  readonly errorPage: ErrorPage;
  /** A connection was cut off for its flood. */
  readonly onFlood: (socket: Socket) => void;
}
