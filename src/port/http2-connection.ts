import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import { Http2Call } from './http2-call.ts';
import { FloodLookout } from './http2-flood.ts';
import { Pings } from './http2-ping.ts';
import { Http2Stream } from './http2-stream.ts';
import type { PortSetup } from './setup.ts';
import { LOOK_MS } from './unread.ts';

/** Arrival is what a client asks for on a stream: a call, or a request and its response as Node makes them. */
export type Arrival =
  | Http2Call
  | {
      readonly request: Http2ServerRequest;
      readonly response: Http2ServerResponse;
      readonly stream: ServerHttp2Stream;
    };

export interface Http2Events {
  readonly request: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  readonly call: (call: Http2Call) => void;
  /** Called when a peer was disconnected for flooding, with the kind of the flood. */
  readonly onFlood: (socket: Socket, flood: string) => void;
}

/** Http2Connection is one socket that speaks HTTP/2. */
export class Http2Connection implements Connection {
  private readonly session: ServerHttp2Session;
  private readonly socket: Socket;
  private readonly setup: PortSetup;
  private readonly events: Http2Events;
  private readonly open = new Map<ServerHttp2Stream, Http2Stream>();
  /** The requests that have not been started. */
  private readonly waiting: Arrival[] = [];
  private readonly lookout: FloodLookout;
  private readonly pings: Pings;
  private idleSince = performance.now();
  private isCutOff = false;
  private isQueued = false;
  /** Whether no other request was open when the latest one came. */
  private cameAlone = true;
  private retry: NodeJS.Timeout | undefined;
  private closingSince: number | undefined;

  constructor(session: ServerHttp2Session, socket: Socket, setup: PortSetup, events: Http2Events) {
    this.session = session;
    this.socket = socket;
    this.setup = setup;
    this.events = events;
    this.lookout = new FloodLookout(setup.limits);
    this.pings = new Pings(session, socket, setup);
    socket.on('close', () => {
      for (const open of this.open.values()) open.endClosed();
    });
  }

  /** Handles a request when it is its connection's turn. */
  begin(arrival: Arrival): void {
    if (this.isCutOff) return;
    this.track(arrival);
    this.waiting.push(arrival);
    // A client that sends one request after the other gets each response with the read that brought the
    // request. Of several, each would be a write of its own.
    const comesAlone = this.open.size === 1;
    if (comesAlone && this.cameAlone && this.setup.turns.hasTime(0)) this.turn();
    else this.beginInTurn();
    this.cameAlone = comesAlone;
  }

  /**
   * Returns the first waiting request that can start. Requests that were reset in the meantime are skipped.
   */
  private next(): Arrival | undefined {
    const isOver = ({ stream }: Arrival): boolean => stream.closed || this.session.destroyed;
    let [next] = this.waiting;
    for (; next !== undefined && isOver(next); next = this.waiting[0]) this.waiting.shift();
    if (next === undefined) return undefined;
    const request = next instanceof Http2Call ? next : next.request;
    if (!this.setup.unread.isTight(() => this.setup.clientOf(request))) return next;
    this.beginLater();
    return undefined;
  }

  private start(next: Arrival): void {
    this.waiting.shift();
    if (next instanceof Http2Call) this.events.call(next);
    else this.events.request(next.request, next.response);
  }

  private beginLater(): void {
    this.retry ??= setTimeout(() => {
      this.retry = undefined;
      this.beginInTurn();
    }, LOOK_MS).unref();
  }

  private beginInTurn(): void {
    if (this.isQueued || this.waiting.length === 0) return;
    this.isQueued = true;
    this.setup.turns.later(this.turn);
  }

  /** Starts one waiting request, then lets other connections have their turn. */
  private readonly turn = (): void => {
    this.isQueued = false;
    if (this.holdsUnread()) return this.beginLater();
    const next = this.next();
    if (next === undefined) return;
    this.start(next);
    this.beginInTurn();
  };

  /** Whether the peer has too many unread responses to get further ones. */
  private holdsUnread(): boolean {
    if (!this.setup.unread.mayHold(this.setup.limits.connectionUnread)) return false;
    let bytes = 0;
    for (const { unread } of this.open.values()) bytes += unread;
    return bytes > this.setup.limits.connectionUnread;
  }

  private track(arrival: Arrival): void {
    const open = new Http2Stream(arrival.stream, this.setup);
    this.open.set(arrival.stream, open);
    this.lookout.countRequest(this.open.size);
    const ended = (): void => this.ended(arrival.stream);
    if (arrival instanceof Http2Call) arrival.onClose(ended);
    else arrival.stream.once('close', ended);
  }

  private ended(stream: ServerHttp2Stream): void {
    this.idleSince = performance.now();
    this.countReset(stream);
    this.open.delete(stream);
    this.beginInTurn();
  }

  /**
   * Counts a stream that was reset soon after it was opened: the peer makes the service start work that
   * nobody wants.
   */
  countReset(stream: ServerHttp2Stream): void {
    const now = performance.now();
    // A stream without a request has been reset by the bytes that opened it.
    if (this.session.destroyed || this.open.get(stream)?.isNewlyHasty(now) === false) return;
    if (this.lookout.countReset(now)) this.cutOff('rapid stream resets');
  }

  /** Whether node:http2 ended the connection because of a flood, given nghttp2's error number. */
  endedForFlood(errno: number | undefined): boolean {
    if (!this.lookout.isFloodError(errno)) return false;
    this.events.onFlood(this.socket, 'too many frames');
    return true;
  }

  private cutOff(flood: string): void {
    if (this.isCutOff) return;
    this.isCutOff = true;
    this.waiting.length = 0;
    this.events.onFlood(this.socket, flood);
    // At once: from now on, nghttp2 ignores the peer's new streams.
    this.session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    // Later, because a socket that is closed before its bytes are read does not deliver the reason.
    setImmediate(() => {
      this.session.destroy();
      setImmediate(() => this.socket.destroySoon());
    });
  }

  sweep(now: number): void {
    const { session } = this;
    const { lingerTimeout, idleSessionTimeout } = this.setup.limits;
    for (const open of this.open.values()) open.sweep(now);
    if (session.closed || session.destroyed) {
      // A peer that was asked to leave, or is gone, may keep its socket open although it waits for nothing.
      if (this.open.size > 0) return;
      this.closingSince ??= now;
      if (now - this.closingSince > lingerTimeout) this.socket.destroy();
    } else if (this.open.size === 0 && now - this.idleSince > idleSessionTimeout) {
      session.close();
      return;
    }
    this.look(now);
    this.pings.sweep(now);
  }

  look(now: number): void {
    const isFlooded = this.lookout.isFlooded(this.socket.bytesRead, now);
    if (isFlooded && !this.session.destroyed) this.cutOff('frames without requests');
  }

  drain(): void {
    if (!this.session.destroyed) this.session.close();
  }
}
