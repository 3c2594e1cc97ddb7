import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type Connection, StallClock } from './connection.ts';
import { closeUnlessRead, UnreadBody } from './http1-unread.ts';
import { closeGently, type Refusal, refuseAndClose } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { LOOK_MS } from './unread.ts';

/** The number of unanswered requests that are handled concurrently; further ones wait. */
const ANSWERED_AT_ONCE = 8;

export type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** Http1Connection is one socket that speaks HTTP/1.0 or 1.1. */
export class Http1Connection implements Connection {
  private readonly socket: Socket;
  private readonly setup: PortSetup;
  private readonly onRequest: OnRequest;
  private readonly exchanges = new Map<ServerResponse, IncomingMessage>();
  /** The exchanges that have not started yet. */
  private readonly waiting: ServerResponse[] = [];
  private readonly stall = new StallClock();
  private idleSince = performance.now();
  private retry: NodeJS.Timeout | undefined;
  private draining = false;
  /** Set when a response has announced that it is the last one. */
  private last = false;
  private refusal: Refusal | undefined;
  /** The request that was started last, and the rest of its body after it has been answered. */
  private latest: IncomingMessage | undefined;
  private unread: UnreadBody | undefined;

  constructor(socket: Socket, setup: PortSetup, onRequest: OnRequest) {
    this.socket = socket;
    this.setup = setup;
    this.onRequest = onRequest;
    // Node.js calls this after the last response. Closing at once would reset a client that is still sending,
    // perhaps before it has the response.
    socket.destroySoon = () => {
      if (this.latest?.complete === false) this.closeGently();
      else Socket.prototype.destroySoon.call(socket);
    };
    socket.on('close', () => {
      this.waiting.length = 0;
      // Node notifies only the response whose turn it is; pipelined ones behind it would wait forever.
      for (const response of this.exchanges.keys()) {
        if (response.socket === null) response.destroy().emit('close');
      }
      this.exchanges.clear();
    });
  }

  /**
   * Closes a connection whose next bytes cannot be parsed, with an error where the client can attribute it.
   * False if the connection is already closing.
   */
  breakOff(refusal: Refusal): boolean {
    if (this.refusal !== undefined || this.socket.writableEnded) return false;
    this.refusal = refusal;
    if (this.unread?.isWhole === false) {
      // Its request has been answered: the client would take an error for the response to its next request.
      this.closeGently();
      return true;
    }
    const exchanges = [...this.exchanges];
    const [response, request] = exchanges.at(-1) ?? [];
    // Requests before the bad bytes are answered first.
    if (response === undefined || request?.complete) {
      this.closeWhenAnswered();
      return true;
    }
    const alone = exchanges.length === 1;
    if (alone && !response.headersSent) refuseAndClose(this.socket, refusal, this.setup.limits.lingerTimeout);
    else if (alone && response.writableEnded) this.closeGently();
    else this.socket.destroy();
    return true;
  }

  /** Handles a request: at once, or after earlier ones if the client has sent many. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    // Real clients do not send this many requests without waiting for a response.
    if (this.exchanges.size >= this.setup.limits.pipelined && !this.socket.destroyed) {
      this.setup.onRefused('requests');
      this.socket.destroy();
    }
    if (this.last || this.refusal !== undefined || this.socket.destroyed) return;
    this.exchanges.set(response, request);
    this.latest = request;
    if (this.draining) this.makeLast(response);
    if (!request.complete) closeUnlessRead(request, response, this.setup.limits, this.keepLast);
    response.on('close', () => {
      this.exchanges.delete(response);
      if (!request.complete) this.unread = new UnreadBody(request);
      this.idleSince = performance.now();
      this.beginWaiting();
      this.closeWhenAnswered();
    });
    this.waiting.push(response);
    this.beginWaiting();
  }

  private beginWaiting(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const request = this.exchanges.get(next);
      if (request !== undefined && !this.hasRoomFor(request)) return;
      this.waiting.shift();
      if (request !== undefined) this.onRequest(request, next);
    }
  }

  /**
   * Whether a request can be handled now. If not, it is checked again when a response ends, or after some
   * time.
   */
  private hasRoomFor(request: IncomingMessage): boolean {
    const { unread, clientOf } = this.setup;
    const begun = this.exchanges.size - this.waiting.length;
    if (begun >= ANSWERED_AT_ONCE || (begun > 0 && this.holdsUnread())) return false;
    if (!unread.isTight(() => clientOf(request))) return true;
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.beginWaiting();
    }, LOOK_MS).unref();
    return false;
  }

  private holdsUnread(): boolean {
    let bytes = this.socket.writableLength;
    // Only the first is being sent; those behind it wait for their turn.
    for (const response of this.exchanges.keys())
      if (response.socket === null) bytes += response.writableLength;
    return bytes > this.setup.limits.connectionUnread;
  }

  sweep(now: number): void {
    const { keepAliveTimeout, headersTimeout, stallTimeout } = this.setup.limits;
    const { writableLength } = this.socket;
    // Skipped for the many idle connections, because Node adds up the bytes each time.
    const taken = writableLength === 0 ? 0 : this.socket.bytesWritten - writableLength;
    const stalled = this.stall.look(writableLength, taken, now) > stallTimeout;
    // Node's own timeouts end idle connections earlier, unless the peer keeps sending empty lines.
    const idle = this.exchanges.size === 0 && now - this.idleSince > keepAliveTimeout + headersTimeout;
    if (stalled && !this.socket.destroyed) this.setup.onRefused('slow_reader');
    if (stalled || idle) this.socket.destroy();
    else if (this.unread?.isLate(now, this.setup.limits) && !this.socket.writableEnded) {
      this.setup.onRefused('slow_sender');
      this.closeGently();
    }
  }

  drain(): void {
    this.draining = true;
    this.closeWhenAnswered();
    const response = [...this.exchanges.keys()].at(-1);
    if (response !== undefined && !response.headersSent) this.makeLast(response);
  }

  /** Tells the client not to expect responses to requests after this one. */
  private makeLast(response: ServerResponse): void {
    response.setHeader('Connection', 'close');
    this.keepLast();
  }

  private readonly keepLast = (): void => {
    this.last = true;
  };

  private closeGently(): void {
    closeGently(this.socket, this.setup.limits.lingerTimeout);
  }

  /**
   * Closes although a response that started before the drain, or before the bad bytes, promised to keep the
   * connection.
   */
  private closeWhenAnswered(): void {
    if (this.exchanges.size > 0) return;
    if (this.refusal !== undefined)
      refuseAndClose(this.socket, this.refusal, this.setup.limits.lingerTimeout);
    else if (this.draining) this.socket.destroySoon();
  }
}
