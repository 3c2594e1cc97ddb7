import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type Connection, StallClock } from './connection.ts';
import { closeUnlessRead, UnreadBody } from './http1-unread.ts';
import { closeGently, type Refusal, refuseAndClose } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { LOOK_MS } from './unread.ts';

/** Of the unanswered requests those that are answered at once; the others wait. */
const ANSWERED_AT_ONCE = 8;

export type OnRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** One socket that speaks HTTP/1.0 or 1.1. */
export class Http1Connection implements Connection {
  private readonly socket: Socket;
  private readonly setup: PortSetup;
  private readonly onRequest: OnRequest;
  private readonly exchanges = new Map<ServerResponse, IncomingMessage>();
  /** Those of them that are not begun yet. */
  private readonly waiting: ServerResponse[] = [];
  private readonly stall = new StallClock();
  private idleSince = performance.now();
  private retry: NodeJS.Timeout | undefined;
  private draining = false;
  /** The client has been told which response is the last one. */
  private last = false;
  private refusal: Refusal | undefined;
  /** The last request that was begun, and what is left of its body when it has been answered. */
  private latest: IncomingMessage | undefined;
  private unread: UnreadBody | undefined;

  constructor(socket: Socket, setup: PortSetup, onRequest: OnRequest) {
    this.socket = socket;
    this.setup = setup;
    this.onRequest = onRequest;
    // Node.js calls it behind the last answer: a client that still sends would get a reset, perhaps before the answer.
    socket.destroySoon = () => {
      if (this.latest?.complete === false) this.closeGently();
      else Socket.prototype.destroySoon.call(socket);
    };
    socket.on('close', () => {
      this.waiting.length = 0;
      // Node tells only the response whose turn it is; pipelined ones behind it would wait for ever.
      for (const response of this.exchanges.keys()) {
        if (response.socket === null) response.destroy().emit('close');
      }
      this.exchanges.clear();
    });
  }

  /**
   * Closes a connection whose next bytes cannot be taken, with the refusal where it can be understood. False when it
   * is being closed already.
   */
  breakOff(refusal: Refusal): boolean {
    if (this.refusal !== undefined || this.socket.writableEnded) return false;
    this.refusal = refusal;
    if (this.unread?.isWhole === false) {
      // Its request has been answered: another answer would be taken for that to the next one.
      this.closeGently();
      return true;
    }
    const exchanges = [...this.exchanges];
    const [response, request] = exchanges.at(-1) ?? [];
    // What came before the bad bytes is answered first.
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

  /** Has a request answered: at once, or when those before it are, where the client has sent many. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    // Nobody sends so many requests without waiting for an answer.
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

  /** Whether a request can be answered now. If not, it is looked at again: when an answer is over, or in some time. */
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
    // Those behind the first of them wait for their turn.
    for (const response of this.exchanges.keys())
      if (response.socket === null) bytes += response.writableLength;
    return bytes > this.setup.limits.connectionUnread;
  }

  sweep(now: number): void {
    const { keepAliveTimeout, headersTimeout, stallTimeout } = this.setup.limits;
    const { writableLength } = this.socket;
    // Node adds the bytes up each time; of the many that wait for nothing they are not needed.
    const taken = writableLength === 0 ? 0 : this.socket.bytesWritten - writableLength;
    const stalled = this.stall.look(writableLength, taken, now) > stallTimeout;
    // Node's own time-outs end an idle connection earlier, unless the peer keeps it up with empty lines.
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

  /** Tells the client not to expect an answer to what it sends after this one's request. */
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

  /** A response that began before the drain, or the bad bytes, has promised to keep the connection. */
  private closeWhenAnswered(): void {
    if (this.exchanges.size > 0) return;
    if (this.refusal !== undefined)
      refuseAndClose(this.socket, this.refusal, this.setup.limits.lingerTimeout);
    else if (this.draining) this.socket.destroySoon();
  }
}
