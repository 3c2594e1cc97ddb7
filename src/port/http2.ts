import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import { shownAddress } from '../values/ip.ts';
import type { Connection } from './connection.ts';
import { Http2Response } from './counted-response.ts';
import { Http2Call } from './http2-call.ts';
import { Http2Connection, type Http2Events } from './http2-connection.ts';
import { endLater, resetsLater } from './http2-turn.ts';
import { endUnread } from './http2-unread.ts';
import type { PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';
import { warnRarely } from './warn-rarely.ts';

/** The types of Node leave out the raw headers. */
type OnStream = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  rawHeaders: string[],
) => void;

/**
 * Serves HTTP/2. Returns the function that creates a connection from a socket whose first bytes are the
 * preface.
 */
export function createHttp2(
  setup: PortSetup,
  handlers: Pick<Http2Events, 'request' | 'call'>,
): (socket: Socket) => Connection {
  const { limits, log, onRefused, calls } = setup;
  const server = createServer(serverOptions(limits));
  const connections = new WeakMap<object, Http2Connection>();
  const connectionOf = ({ session }: ServerHttp2Stream): Http2Connection | undefined =>
    session === undefined ? undefined : connections.get(session);
  const resetLater = resetsLater((stream) => connectionOf(stream)?.countReset(stream));
  const begin = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    setup.onArrival(request);
    const { stream } = request;
    const connection = connectionOf(stream);
    if (connection === undefined) {
      stream.destroy();
      return;
    }
    // For HEAD requests, node:http2 reports the close only after the response was ended.
    if (request.method === 'HEAD') stream.once('close', () => response.end());
    stream.once('finish', () => endUnread(stream));
    connection.begin({ request, response, stream });
  };
  // Makes Node's own requests and responses of streams. It has no connections.
  const pairs = createServer({ Http2ServerResponse: Http2Response as typeof Http2ServerResponse });
  // The guard rejects unknown expectations; Node would answer by itself.
  pairs.on('request', begin).on('checkExpectation', begin);
  // Rate-limited, because an attacker can cause many warnings.
  const warn = warnRarely(log);
  const onFlood = (socket: Socket, flood: string): void => {
    onRefused('flood');
    setup.onFlood(socket);
    warn({ remote: shownAddress(socket.remoteAddress), flood }, 'closed the connection of a flooding client');
  };

  const events: Http2Events = {
    request: handlers.request.bind(handlers),
    call: handlers.call.bind(handlers),
    onFlood,
  };

  server.on('sessionError', ({ code, errno }: NodeJS.ErrnoException, session: ServerHttp2Session) => {
    // Socket errors mean that the peer has left.
    if (code?.startsWith('ERR_HTTP2') !== true) return;
    if (connections.get(session)?.endedForFlood(errno) !== true) onRefused('malformed');
  });

  return (socket) => {
    // Otherwise a peer that is gone leaves the session half open forever.
    socket.allowHalfOpen = false;
    let session: ServerHttp2Session | undefined;
    server.once('session', (made) => {
      session = made;
    });
    server.emit('connection', socket);
    if (session === undefined) throw new Error('node:http2 could not create a session for a connection');
    const connection = new Http2Connection(session, socket, setup, events);
    endLater(session);
    connections.set(session, connection);
    const onStream: OnStream = (stream, headers, flags, rawHeaders) => {
      resetLater(stream);
      if (calls?.takes(headers) === true) {
        const call = new Http2Call(stream, headers, rawHeaders, socket);
        setup.onArrival(call);
        connection.begin(call);
      } else pairs.emit('stream', stream, headers, flags, rawHeaders);
      // Opened and reset by the same bytes.
      if (stream.destroyed) connection.countReset(stream);
    };
    session.on('stream', onStream as Parameters<ServerHttp2Session['on']>[1]);
    return connection;
  };
}

/** Newer versions of Node accept rates of resets; older ones have nghttp2's, which are the same. */
function serverOptions(
  limits: PortLimits,
): ServerOptions & { streamResetBurst: number; streamResetRate: number } {
  return {
    settings: {
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headerBytes,
      initialWindowSize: limits.streamWindowBytes,
      enablePush: false,
    },
    maxHeaderListPairs: limits.headers,
    maxSessionMemory: limits.sessionMegabytes,
    maxSessionInvalidFrames: limits.invalidFrames,
    maxSessionRejectedStreams: limits.rejectedStreams,
    maxSettings: limits.settings,
    streamResetBurst: limits.resetBurst,
    streamResetRate: limits.resetRate,
  };
}
