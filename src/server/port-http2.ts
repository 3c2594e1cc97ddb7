import {
  constants,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { PortLimits } from '../limits.ts';
import { type Connection, StallClock } from './port-connection.ts';
import type { OnRefused } from './port-refusals.ts';

/** HTTP/2. Returns what makes a connection of a socket whose first bytes are the preface. */
export function createHttp2(
  { limits, onRefused }: { readonly limits: PortLimits; readonly onRefused: OnRefused },
  onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
): (socket: Socket) => Connection {
  // The rates of resets are known to newer versions of Node; older ones have nghttp2's, which are the same.
  const options: ServerOptions & { streamResetBurst: number; streamResetRate: number } = {
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
  const server = createServer(options);
  const connections = new WeakMap<object, Http2Connection>();
  server.on('request', (request, response) => {
    const { session } = request.stream;
    const connection = session === undefined ? undefined : connections.get(session);
    if (connection === undefined) request.stream.destroy();
    else {
      connection.begin(request, response);
      onRequest(request, response);
    }
  });

  server.on('sessionError', ({ code }: NodeJS.ErrnoException) => {
    // Those of the socket are a peer that has left.
    if (code?.startsWith('ERR_HTTP2') === true) onRefused('malformed');
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
    const connection = new Http2Connection(session, socket, limits, onRefused);
    connections.set(session, connection);
    return connection;
  };
}

interface Exchange {
  readonly response: Http2ServerResponse;
  readonly since: number;
  readonly stall: StallClock;
  /** How often all that was written has been taken. */
  drains: number;
}

class Http2Connection implements Connection {
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly limits: PortLimits;
  private readonly onRefused: OnRefused;
  private readonly exchanges = new Set<Exchange>();
  private idleSince = performance.now();
  private pingedAt = performance.now();
  private pingAnswered = true;
  private closingSince: number | undefined;

  constructor(session: ServerHttp2Session, socket: Socket, limits: PortLimits, onRefused: OnRefused) {
    this.session = session;
    this.socket = socket;
    this.limits = limits;
    this.onRefused = onRefused;
  }

  begin({ stream }: Http2ServerRequest, response: Http2ServerResponse): void {
    const exchange: Exchange = { response, since: performance.now(), stall: new StallClock(), drains: 0 };
    this.exchanges.add(exchange);
    stream.on('drain', () => {
      exchange.drains += 1;
    });
    stream.once('finish', () => {
      // The answer is complete, and nobody reads what is left of the body: unread, it would hold the stream.
      stream.removeAllListeners('data').resume();
      // Node sends trailers a turn later, and writes another turn later; what takes longer is for the sweep.
      if (!stream.endAfterHeaders && !stream.readableEnded) {
        setImmediate(() => setImmediate(() => endUnread(stream)));
      }
    });
    stream.once('close', () => {
      this.exchanges.delete(exchange);
      this.idleSince = performance.now();
    });
  }

  sweep(now: number): void {
    const { session, limits } = this;
    for (const exchange of this.exchanges) this.sweepExchange(exchange, now);
    if (session.closed || session.destroyed) {
      // A peer that was told to go, or is gone, and has nothing to wait for, may still not close its socket.
      if (this.exchanges.size > 0) return;
      this.closingSince ??= now;
      if (now - this.closingSince > limits.lingerTimeout) this.socket.destroy();
    } else if (this.exchanges.size === 0 && now - this.idleSince > limits.idleSessionTimeout) {
      session.close();
      return;
    }
    this.ping(now);
  }

  drain(): void {
    if (!this.session.destroyed) this.session.close();
  }

  /** `session.setTimeout` would not do: it fires on a quiet watch, and is put off by any write. */
  private ping(now: number): void {
    if (this.session.destroyed) return;
    if (!this.pingAnswered && now - this.pingedAt > this.limits.pingTimeout) {
      this.onRefused('gone');
      this.session.destroy();
      this.socket.destroy();
    } else if (this.pingAnswered && now - this.pingedAt > this.limits.pingInterval) {
      this.pingedAt = now;
      this.pingAnswered = false;
      this.session.ping((error) => {
        this.pingAnswered = error === null;
      });
    }
  }

  private sweepExchange({ response, since, stall, drains }: Exchange, now: number): void {
    const { stream } = response;
    if (stream.destroyed) return;
    if (stall.look(stream.writableLength, drains, now) > this.limits.stallTimeout) {
      this.onRefused('slow_reader');
      stream.close(constants.NGHTTP2_CANCEL);
    } else if (now - since > this.limits.requestTimeout && !response.headersSent) {
      // The body is still not complete. That is right for a two-way stream, which is answered meanwhile.
      if (stream.state.remoteClose === 1) return;
      this.onRefused('slow_sender');
      stream.close(constants.NGHTTP2_CANCEL);
    } else endUnread(stream);
  }
}

/** Ends a stream whose answer has been sent whole and whose client has not ended its side (RFC 9113, 8.1). */
function endUnread(stream: ServerHttp2Stream): void {
  if (stream.destroyed || !stream.writableFinished) return;
  const { localClose, remoteClose } = stream.state;
  if (localClose === 1 && remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
}
