import type { BlockList, Socket } from 'node:net';
import { type RequestHead, socketOf } from '../../port/heads.ts';
import { covers, type Ip, isOwn, networkOf, parseIp } from '../../values/ip.ts';
import { clientBehind } from './forwarded.ts';

/** Sender is the origin of a request or a connection. */
export interface Sender {
  /** The address for the log. Undefined if the socket was already closed. */
  readonly address: string | undefined;
  /**
   * The name of the client for limits. Undefined if no limit applies: this machine, whose owner could do
   * worse.
   */
  readonly name: string | undefined;
}

/** The other end of a connection. */
interface Peer extends Sender {
  readonly ip: Ip | undefined;
  readonly isProxy: boolean;
  /** For a trusted proxy: the sender of its last request, according to the headers. */
  last?: Forwarded;
}

interface Forwarded extends Sender {
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
}

/** ClientAddresses determines the addresses of clients, also behind trusted proxies. */
export class ClientAddresses {
  readonly #proxies: BlockList | undefined;
  /** Cached, because a connection carries many requests. */
  readonly #peers = new WeakMap<object, Peer>();

  /** `trustedProxies` are the proxies whose headers are believed. */
  constructor(trustedProxies: BlockList | undefined) {
    this.#proxies = trustedProxies;
  }

  /**
   * Returns the name of a connection's client. Undefined if no limit applies, as for a trusted proxy, whose
   * connections serve many clients.
   */
  ofConnection(socket: Socket): string | undefined {
    const { name, isProxy } = this.#peerOf(socket);
    return isProxy ? undefined : name;
  }

  /** Returns the sender of a request: its peer, or the client that trusted proxies name. */
  ofRequest(request: RequestHead): Sender {
    const { headers } = request;
    const peer = this.#peerOf(socketOf(request));
    const forwardedFor = headers['x-forwarded-for']?.toString();
    const { forwarded } = headers;
    if (!peer.isProxy || peer.ip === undefined || (forwardedFor ?? forwarded) === undefined) return peer;
    const { last } = peer;
    // Cached, because a request is examined more than once, and a proxy may forward several requests of a
    // client in a row.
    if (last !== undefined && last.forwardedFor === forwardedFor && last.forwarded === forwarded) return last;
    const ip = clientBehind(peer.ip, { forwardedFor, forwarded }, this.#proxies);
    // A client behind a local proxy is still remote, even when its address cannot be distinguished from the
    // proxy's.
    const name = covers(this.#proxies, ip) ? networkOf(ip) : nameOf(ip);
    peer.last = { forwardedFor, forwarded, address: ip, name };
    return peer.last;
  }

  #peerOf(socket: Pick<Socket, 'remoteAddress'>): Peer {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const address = socket.remoteAddress;
    const ip = address === undefined ? undefined : parseIp(address);
    const name = ip === undefined ? undefined : nameOf(ip);
    const isProxy = ip !== undefined && covers(this.#proxies, ip);
    const peer = { ip, address: ip ?? address, name, isProxy };
    this.#peers.set(socket, peer);
    return peer;
  }
}

/** Undefined for this machine. */
function nameOf(ip: Ip): string | undefined {
  return isOwn(ip) ? undefined : networkOf(ip);
}
