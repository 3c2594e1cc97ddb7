import type { Socket } from 'node:net';
import { shownAddress } from '../values/ip.ts';
import { hasAllowedName } from './client-certificates.ts';
import { type Connection, peerOf } from './connection.ts';
import { BUSY, CROWDED, ignore, NOT_NAMED } from './dispatch.ts';
import { type Refusal, refuseAndClose } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { type Protocol, sniff } from './sniff.ts';
import { protocolByAlpn } from './tls.ts';
import { warnRarely } from './warn-rarely.ts';

/** MakeConnection creates the connection of a socket with a known protocol. */
export type MakeConnection = (protocol: Protocol, socket: Socket) => Connection;

/** Connections tracks the open sockets of a port, and their connections once their protocol is known. */
export class Connections {
  readonly #setup: PortSetup;
  readonly #makeConnection: MakeConnection;
  /** The sockets as accepted. Over TLS each is replaced by another socket after its handshake. */
  readonly #accepted = new Set<Socket>();
  readonly #connections = new Map<Socket, Connection>();
  /** The sockets above their client's limit, by `peerOf`, which over TLS is the same for both sockets. */
  readonly #crowded = new Set<string>();
  /** Rate-limited, because rejected clients may retry forever. */
  readonly #warn: ReturnType<typeof warnRarely>;
  #isFull = false;
  #isDraining = false;
  /** Called when a socket has closed. */
  onClosed: (() => void) | undefined;

  constructor(setup: PortSetup, makeConnection: MakeConnection) {
    this.#setup = setup;
    this.#makeConnection = makeConnection;
    this.#warn = warnRarely(setup.log);
  }

  /** The number of open sockets. */
  get open(): number {
    return this.#accepted.size;
  }

  accept(socket: Socket): void {
    const { connect, onRefused } = this.#setup;
    // A reset can come at any time, also while no connection owns the socket.
    socket.on('error', ignore);
    this.#accepted.add(socket);
    const count = connect(socket);
    socket.on('close', () => {
      count?.end();
      this.#accepted.delete(socket);
      this.onClosed?.();
    });
    if (count?.verdict === 'REFUSED') this.#markCrowded(socket);
    else if (count?.verdict === 'DROPPED') socket.destroy();
    if (count !== undefined && count.verdict !== 'WELCOME') onRefused('client_connections');
  }

  #markCrowded(socket: Socket): void {
    const peer = peerOf(socket);
    this.#crowded.add(peer);
    socket.on('close', () => this.#crowded.delete(peer));
  }

  /** Detects the protocol of a socket that is ready for HTTP, and serves it. */
  begin(socket: Socket): void {
    socket.on('error', ignore);
    // It was dropped when it was accepted.
    if (socket.destroyed) return;
    socket.on('close', () => this.#connections.delete(socket));
    const refusal = this.#refusalOf(socket);
    const { limits, onRefused } = this.#setup;
    const wait = sniff(socket, limits, (sniffed) => {
      const protocol = sniffed && (protocolByAlpn(socket) ?? sniffed);
      if (protocol === undefined && !socket.readableEnded) onRefused('slow_sender');
      if (protocol === undefined) socket.destroy();
      else if (protocol === 'http1' && refusal) refuseAndClose(socket, refusal, limits.lingerTimeout);
      else if (refusal) socket.destroy();
      else this.#adopt(protocol, socket);
    });
    // A socket accepted just before the drain may already have sent a request.
    const drain = (): void => wait(limits.sniffTimeout);
    this.#connections.set(socket, { sweep() {}, drain });
    if (this.#isDraining) drain();
  }

  sweep(now: number): void {
    for (const connection of this.#connections.values()) connection.sweep(now);
  }

  look(now: number): void {
    for (const connection of this.#connections.values()) connection.look?.(now);
  }

  /** Closes the connections that no longer pass, with everything open on them. Returns their number. */
  review(passes: (socket: Socket) => boolean): number {
    const over = [...this.#connections.keys()].filter((socket) => !socket.destroyed && !passes(socket));
    for (const socket of over) socket.destroy();
    return over.length;
  }

  drain(): void {
    this.#isDraining = true;
    for (const connection of this.#connections.values()) connection.drain();
  }

  destroy(): void {
    for (const socket of this.#accepted) socket.destroy();
  }

  #adopt(protocol: Protocol, socket: Socket): void {
    const connection = this.#makeConnection(protocol, socket);
    this.#connections.set(socket, connection);
    // Two turns later, so that a request that has arrived is handled first.
    if (this.#isDraining) setImmediate(() => setImmediate(() => connection.drain()));
  }

  #refusalOf(socket: Socket): Refusal | undefined {
    const { limits, log, onRefused } = this.#setup;
    const isFull = this.open > limits.connections;
    if (isFull && !this.#isFull) {
      log.warn({ connections: limits.connections }, 'connection limit reached: new connections get a 503');
    }
    // Logged once, until there is room for more than the next connection.
    this.#isFull = isFull || (this.#isFull && this.open > limits.connections * 0.9);
    if (isFull) onRefused('connections');
    if (isFull) return BUSY;
    if (this.#crowded.has(peerOf(socket))) return CROWDED;
    if (hasAllowedName(socket, this.#setup.tls?.clientNames)) return undefined;
    onRefused('handshake');
    this.#warn(
      { remote: shownAddress(socket.remoteAddress) },
      'rejected a client certificate: none of its names is allowed',
    );
    return NOT_NAMED;
  }
}
