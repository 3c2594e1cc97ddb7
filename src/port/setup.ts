import type { IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { PortRequest, PortResponse } from './connection.ts';
import type { RequestHead } from './heads.ts';
import type { Http2Call } from './http2-call.ts';
import type { PortLimits } from './limits.ts';
import type { OnRefused } from './refusals.ts';
import type { TlsIdentity } from './tls.ts';
import type { Turns } from './turns.ts';
import type { Unread } from './unread.ts';
import type { Warner } from './warn-rarely.ts';

/** PortHandler answers one request. An error that it throws or rejects with becomes a 500 and a log line. */
export type PortHandler = (request: PortRequest, response: PortResponse) => unknown;

/** CallHandler answers the requests over HTTP/2 that it takes, directly on their streams. */
export interface CallHandler {
  takes(headers: IncomingHttpHeaders): boolean;
  /** Its errors are treated like those of a PortHandler. */
  answer(call: Http2Call): unknown;
}

/**
 * PortLog is the part of a logger that the port uses. Log lines must not contain paths, because paths contain
 * tokens.
 */
export interface PortLog extends Warner {
  error(fields: object, text: string): void;
}

/** ConnectionCount is a connection as counted for its client. */
export interface ConnectionCount {
  /** Above the client's limit: REFUSED gets an error where the protocol allows it, DROPPED does not. */
  readonly verdict: 'WELCOME' | 'REFUSED' | 'DROPPED';
  end(): void;
}

export type RefusalPage = (
  request: PortRequest,
  error: { readonly status: number; readonly text: string; readonly type: string },
) => { readonly headers: Readonly<Record<string, string>>; readonly body: string | Buffer } | undefined;

/** PortSetup is the configuration of a port, shared by all of its parts. */
export interface PortSetup {
  readonly handler: PortHandler;
  /** Undefined: the handler answers everything. */
  readonly calls: CallHandler | undefined;
  /**
   * Called when Node delivers a request. The handler gets it in a later turn, outside its asynchronous
   * context.
   */
  readonly onArrival: (request: RequestHead) => void;
  readonly log: PortLog;
  readonly limits: PortLimits;
  /** With it the port speaks only TLS. */
  readonly tls: TlsIdentity | undefined;
  /** Called for each connection and request that the port itself rejects. */
  readonly onRefused: OnRefused;
  /** Counts the connections of each client. Undefined: the client has no limit. */
  readonly connect: (socket: Socket) => ConnectionCount | undefined;
  /** Returns the name of the client that sent a request. Undefined: the client has no limit. */
  readonly clientOf: (request: RequestHead) => string | undefined;
  /** The unread bytes of all responses. */
  readonly unread: Unread;
  /** Decides when requests are started. */
  readonly turns: Turns;
  /** Renders an error as a page for browsers. Undefined for all other clients. */
  readonly errorPage: RefusalPage;
  /** Called when a connection was closed for flooding. */
  readonly onFlood: (socket: Socket) => void;
}
