import {
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import { shownAddress } from '../values/ip.ts';
import type { Connection } from './connection.ts';
import { Http2Response } from './counted-response.ts';
import { Http2Connection } from './http2-connection.ts';
import { endLater, resetLater } from './http2-turn.ts';
import type { PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';
import { warnRarely } from './warn-rarely.ts';

/** HTTP/2. Returns what makes a connection of a socket whose first bytes are the preface. */
export function createHttp2(
  setup: PortSetup,
  onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
): (socket: Socket) => Connection {
  const { limits, log, onRefused } = setup;
  const server = createServer({
    ...serverOptions(limits),
    Http2ServerResponse: Http2Response as typeof Http2ServerResponse,
  });
  const connections = new WeakMap<object, Http2Connection>();
  const begin = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    setup.onArrival(request);
    const { session } = request.stream;
    const connection = session === undefined ? undefined : connections.get(session);
    if (connection === undefined) request.stream.destroy();
    else connection.begin(request, response);
  };
  // What a client expects is for the guard to refuse: Node would answer by itself.
  server.on('request', begin).on('checkExpectation', begin);
  // An attacker makes many.
  const warn = warnRarely(log);
  const onFlood = (socket: Socket, flood: string): void => {
    onRefused('flood');
    setup.onFlood(socket);
    warn({ remote: shownAddress(socket.remoteAddress), flood }, 'a client that floods is cut off');
  };

  server.on('sessionError', ({ code, errno }: NodeJS.ErrnoException, session: ServerHttp2Session) => {
    // Those of the socket are a peer that has left.
    if (code?.startsWith('ERR_HTTP2') !== true) return;
    if (connections.get(session)?.endedForFlood(errno) !== true) onRefused('malformed');
  });

  return (socket) => {
    // Otherwise a peer that is gone leaves the session half open for ever.
    socket.allowHalfOpen = false;
    let session: ServerHttp2Session | undefined;
    server.once('session', (made) => {
      session = made;
    });
    server.emit('connection', socket);
    if (session === undefined) throw new Error('node:http2 made no session of a connection');
    endLater(session);
    const connection = new Http2Connection(session, socket, setup, { onRequest, onFlood });
    connections.set(session, connection);
    session.on('stream', (stream) => {
      resetLater(stream);
      // Opened and reset by the same bytes: there is no request of it.
      if (stream.destroyed) connection.countReset();
    });
    return connection;
  };
}

/** The rates of resets are known to newer versions of Node; older ones have nghttp2's, which are the same. */
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
