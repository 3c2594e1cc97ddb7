import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { PortLimits } from '../limits.ts';
import { type Rate, take } from '../values/token-bucket.ts';
import { type Connection, StallClock } from './connection.ts';
import type { OnRefused } from './refusals.ts';

export interface Http2Events {
  readonly onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  readonly onRefused: OnRefused;
  /** A peer was cut off for its flood of this. */
  readonly onFlood: (socket: Socket, flood: string) => void;
}

/** NGHTTP2_ERR_FLOODED: of what it counts by itself. */
const FLOODED = -904;
/** NGHTTP2_ERR_CALLBACK_FAILURE: node:http2 has refused more than it may: streams, or invalid frames. */
const REFUSED = -902;

interface Exchange {
  readonly response: Http2ServerResponse;
  readonly since: number;
  readonly stall: StallClock;
  /** How often all that was written has been taken. */
  drains: number;
  /** Until when the sweep leaves it alone. */
  restsUntil: number;
}

/** One socket that speaks HTTP/2. */
export class Http2Connection implements Connection {
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly limits: PortLimits;
  private readonly events: Http2Events;
  private readonly exchanges = new Set<Exchange>();
  /** It has had as many streams open as it may. */
  private wasFull = false;
  /** Requests begun in this turn of the event loop, and those that wait for the next ones. */
  private begun = 0;
  private readonly waiting: [Http2ServerRequest, Http2ServerResponse][] = [];
  private readonly hasty: Rate;
  /** When the bucket of hasty resets is full again. */
  private hastyFull = 0;
  /** Bytes of the peer at the last sweep. */
  private sweptBytes = 0;
  /** Bytes of the peer at the last look, when that was, and requests since. */
  private bytes = 0;
  private lookedAt = performance.now();
  private requests = 0;
  /** Bytes that are no request, beyond what is allowed in the time. */
  private otherBytes = 0;
  private idleSince = performance.now();
  private pingedAt = performance.now();
  private pingAnswered = true;
  /** Bytes of the peer at its last answer to a ping. */
  private pingedBytes = 0;
  private closingSince: number | undefined;

  constructor(session: ServerHttp2Session, socket: Socket, limits: PortLimits, events: Http2Events) {
    this.session = session;
    this.socket = socket;
    this.limits = limits;
    this.events = events;
    this.hasty = { burst: limits.hastyBurst, interval: 1000 / limits.hastyRate };
  }

  /** Has a request answered: in this turn of the event loop, or in a later one when its connection began many. */
  begin(request: Http2ServerRequest, response: Http2ServerResponse): void {
    this.track(request.stream, response);
    this.waiting.push([request, response]);
    if (this.begun < this.limits.requestsPerTurn) this.beginWaiting();
  }

  private beginWaiting(): void {
    // Goes on when a stream is over.
    if (this.holdsUnread()) return;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      // Whoever has reset it meanwhile gets no work for it.
      if (next[0].stream.closed) continue;
      if (this.begun === 0) setImmediate(this.turn);
      this.begun += 1;
      this.events.onRequest(...next);
      if (this.begun >= this.limits.requestsPerTurn) return;
    }
  }

  private readonly turn = (): void => {
    this.begun = 0;
    this.beginWaiting();
  };

  /** Whether the peer has so much of its answers still to read that it gets no others. */
  private holdsUnread(): boolean {
    const { unreadStreams, unreadBytes } = this.limits;
    if (this.waiting.length === 0 || this.exchanges.size <= unreadStreams) return false;
    let bytes = 0;
    for (const { response } of this.exchanges) bytes += response.stream.writableLength;
    return bytes > unreadBytes;
  }

  private track(stream: ServerHttp2Stream, response: Http2ServerResponse): void {
    this.requests += 1;
    const since = performance.now();
    const restsUntil = since + restTime(this.limits);
    const exchange: Exchange = { response, since, stall: new StallClock(), drains: 0, restsUntil };
    this.exchanges.add(exchange);
    this.wasFull ||= this.exchanges.size >= this.limits.streams;
    stream.on('drain', () => {
      exchange.drains += 1;
    });
    stream.once('finish', () => {
      exchange.restsUntil = 0;
      // The answer is complete, and nobody reads what is left of the body: unread, it would hold the stream.
      stream.removeAllListeners('data').resume();
      // Node sends trailers a turn later, and writes another turn later; what takes longer is for the sweep.
      if (!stream.endAfterHeaders && !stream.readableEnded) {
        setImmediate(() => setImmediate(() => endUnread(stream)));
      }
    });
    stream.once('close', () => {
      // To HEAD node:http2 tells of it only once the response has been ended. Of others this does nothing.
      response.end();
      this.exchanges.delete(exchange);
      if (this.begun === 0 && this.waiting.length > 0) setImmediate(this.turn);
      this.idleSince = performance.now();
      if (stream.aborted && this.idleSince - exchange.since < this.limits.hastyTime) this.countReset();
    });
  }

  /** Counts a stream that was reset soon after it was opened: whoever does that has us begin what nobody wants. */
  countReset(): void {
    if (this.session.destroyed) return;
    const taken = take(this.hasty, this.hastyFull, performance.now());
    if ('wait' in taken) this.cutOff('streams that are opened and reset');
    else this.hastyFull = taken.full;
  }

  /** Whether node:http2 has ended the connection for a flood, by the number of nghttp2's error. */
  endedForFlood(errno: number | undefined): boolean {
    // One stream more than it may have is an error of the protocol like any other.
    if (errno !== FLOODED && errno !== REFUSED && !this.wasFull) return false;
    this.events.onFlood(this.socket, 'frames past the limits');
    return true;
  }

  private cutOff(flood: string): void {
    this.events.onFlood(this.socket, flood);
    this.session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    this.session.destroy();
    this.socket.destroySoon();
  }

  sweep(now: number): void {
    const { session, limits } = this;
    for (const exchange of this.exchanges) if (now >= exchange.restsUntil) this.sweepExchange(exchange, now);
    if (session.closed || session.destroyed) {
      // A peer that was told to go, or is gone, and has nothing to wait for, may still not close its socket.
      if (this.exchanges.size > 0) return;
      this.closingSince ??= now;
      if (now - this.closingSince > limits.lingerTimeout) this.socket.destroy();
    } else if (this.exchanges.size === 0 && now - this.idleSince > limits.idleSessionTimeout) {
      session.close();
      return;
    }
    const { bytesRead } = this.socket;
    const isQuiet = bytesRead === this.sweptBytes;
    this.sweptBytes = bytesRead;
    this.look(now);
    this.ping(now, isQuiet);
  }

  look(now: number): void {
    if (this.isFlooded(now)) this.cutOff('frames that are no request');
  }

  /** Whether the peer has sent more than its requests can have taken: pings, window updates, frames of no meaning. */
  private isFlooded(now: number): boolean {
    const { requestBytes, otherBytes, otherRate } = this.limits;
    const { bytesRead } = this.socket;
    const allowed = this.requests * requestBytes + ((now - this.lookedAt) / 1000) * otherRate;
    this.otherBytes = Math.max(0, this.otherBytes + bytesRead - this.bytes - allowed);
    this.bytes = bytesRead;
    this.lookedAt = now;
    this.requests = 0;
    return this.otherBytes > otherBytes && !this.session.destroyed;
  }

  drain(): void {
    if (!this.session.destroyed) this.session.close();
  }

  /**
   * At intervals, and once when the peer falls silent: node:http2 does not tell that it has ended a connection for
   * what the peer sent, nor then that the peer is gone. `session.setTimeout` would not do: it fires on a quiet watch,
   * and is put off by any write.
   */
  private ping(now: number, isQuiet: boolean): void {
    if (this.session.destroyed) return;
    const { pingInterval, pingTimeout } = this.limits;
    if (!this.pingAnswered && now - this.pingedAt > pingTimeout) {
      this.events.onRefused('gone');
      this.session.destroy();
      this.socket.destroy();
      return;
    }
    const isDue = now - this.pingedAt > pingInterval || (isQuiet && this.sweptBytes !== this.pingedBytes);
    if (!this.pingAnswered || !isDue) return;
    this.pingedAt = now;
    this.pingAnswered = false;
    this.session.ping((error) => {
      this.pingAnswered = error === null;
      this.pingedBytes = this.socket.bytesRead;
    });
    // Written a turn later, where it can be.
    setImmediate(() => setImmediate(() => this.endIfGivenUp()));
  }

  /** nghttp2 has ended the connection, of which older versions of node:http2 do not tell: it keeps what it is to send. */
  private endIfGivenUp(): void {
    if (this.pingAnswered || this.session.destroyed) return;
    // A ping that waits for nothing: a peer that does not read leaves bytes in the queue of the socket.
    const isWriting = writeQueueOf(this.socket) !== 0;
    if (isWriting || !((this.session.state.outboundQueueSize ?? 0) > 0)) return;
    this.events.onRefused('malformed');
    this.session.destroy();
    this.socket.destroy();
  }

  private sweepExchange(exchange: Exchange, now: number): void {
    const { response, since, stall, drains } = exchange;
    const { stream } = response;
    if (stream.destroyed) return;
    if (stall.look(stream.writableLength, drains, now) > this.limits.stallTimeout) {
      this.events.onRefused('slow_reader');
      stream.close(constants.NGHTTP2_CANCEL);
    } else if (now - since > this.limits.requestTimeout && !response.headersSent) {
      // The body is still not complete. That is right for a two-way stream, which is answered meanwhile.
      if (stream.state.remoteClose === 1) return;
      this.events.onRefused('slow_sender');
      stream.close(constants.NGHTTP2_CANCEL);
    } else if (stream.writableFinished) endUnread(stream);
    // A watch that is told nothing, one of thousands.
    else if (response.headersSent && stream.writableLength === 0)
      exchange.restsUntil = now + restTime(this.limits);
  }
}

/** Ends a stream whose answer has been sent whole and whose client has not ended its side (RFC 9113, 8.1). */
function endUnread(stream: ServerHttp2Stream): void {
  if (stream.destroyed || !stream.writableFinished) return;
  const { localClose, remoteClose } = stream.state;
  if (localClose === 1 && remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** Bytes that the kernel has not taken yet; what node:http2 writes is not in `writableLength`. Undefined: not known. */
function writeQueueOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly writeQueueSize?: number } | null };
  return handle?.writeQueueSize;
}

/** How long, in ms, a stream that waits for nothing is not looked at: by so much later it is seen that a peer does not read. */
function restTime({ stallTimeout }: PortLimits): number {
  return stallTimeout / 5;
}
