import type { BlockList, Socket } from 'node:net';
import type { PortRequest } from '../../port/connection.ts';
import { covers, type Ip, isOwn, networkOf, parseIp } from '../../values/ip.ts';
import { clientBehind } from './forwarded.ts';

/** The address that a request or a connection comes from. */
export interface Sender {
  /** For the log; undefined when the socket was closed already. */
  readonly address: string | undefined;
  /** Of the client that it counts for. Undefined when no limit holds: for this machine, whose owner can do worse. */
  readonly name: string | undefined;
}

/** The other end of a connection. */
interface Peer extends Sender {
  readonly ip: Ip | undefined;
  readonly isProxy: boolean;
  /** Of a trusted proxy: whom its last request was from, by what its headers said. */
  last?: Forwarded;
}

interface Forwarded extends Sender {
  readonly forwardedFor: string | undefined;
  readonly forwarded: string | undefined;
}

/** Tells the addresses of clients, also of those behind trusted proxies. */
export class ClientAddresses {
  readonly #proxies: BlockList | undefined;
  /** A connection carries many requests. */
  readonly #peers = new WeakMap<object, Peer>();

  /** `trustedProxies`: whose word counts for who has sent a request. */
  constructor(trustedProxies: BlockList | undefined) {
    this.#proxies = trustedProxies;
  }

  /** The name of a connection's client. Undefined when no limit holds, as for a trusted proxy: it has those of many. */
  ofConnection(socket: Socket): string | undefined {
    const { name, isProxy } = this.#peerOf(socket);
    return isProxy ? undefined : name;
  }

  /** Who has sent a request: its peer, or whom trusted proxies say. */
  ofRequest(request: PortRequest): Sender {
    const { headers } = request;
    // The socket of a request of HTTP/2 is made for it alone, that of its session once.
    const session = 'stream' in request ? request.stream.session : undefined;
    const peer = this.#peerOf(session?.socket ?? request.socket);
    const forwardedFor = headers['x-forwarded-for']?.toString();
    const { forwarded } = headers;
    if (!peer.isProxy || peer.ip === undefined || (forwardedFor ?? forwarded) === undefined) return peer;
    const { last } = peer;
    // A request is asked about more than once, and a proxy may send those of one client in a row.
    if (last !== undefined && last.forwardedFor === forwardedFor && last.forwarded === forwarded) return last;
    const ip = clientBehind(peer.ip, { forwardedFor, forwarded }, this.#proxies);
    // Whoever comes through a proxy on this machine, and cannot be told from it, is not on this machine for that.
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
