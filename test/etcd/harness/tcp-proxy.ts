import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './ports.ts';
import type { Owner } from './scene.ts';

/**
 * A TCP proxy on loopback in front of ports of 127.0.0.1, which breaks connections as networks do. In front of
 * several it is a load balancer: each connection goes to the next one that accepts it.
 */
export class TcpProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #targets: readonly number[];
  readonly #sockets = new Set<Socket>();
  /** Connections to the targets, which carry the responses. */
  readonly #services = new Set<Socket>();
  #next = 0;
  #state: 'OPEN' | 'CUT' | 'STALLED' | 'MUTE' = 'OPEN';

  private constructor(port: number, targets: readonly number[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#targets = targets;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(port, '127.0.0.1');
  }

  /** Starts to forward to the ports of the URLs. Closed with its owner. */
  static async open(owner: Owner, ...targetUrls: readonly string[]): Promise<TcpProxy> {
    const [port = 0] = await freePorts(1);
    const proxy = new TcpProxy(
      port,
      targetUrls.map((url) => Number(new URL(url).port)),
    );
    owner.after(() => proxy.#close());
    return proxy;
  }

  /** The number of client connections. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Resets every connection, and new ones, until `restore`. */
  cut(): void {
    this.#state = 'CUT';
    this.#reset();
  }

  /** Keeps connections open but forwards nothing, like a network that drops packets. */
  stall(): void {
    this.#state = 'STALLED';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Forwards requests and holds back responses, also on new connections, until `restore`. */
  mute(): void {
    this.#state = 'MUTE';
    for (const socket of this.#services) socket.pause();
  }

  /** Forwards new connections again. Stalled ones stay stalled, because their packets are lost. */
  restore(): void {
    this.#state = 'OPEN';
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#state === 'CUT') {
      client.resetAndDestroy();
      return;
    }
    // The client's data waits until a target accepts the connection.
    client.pause();
    this.#connect(client, this.#targets.length);
  }

  /** Connects a client to the next target, and to the one after that if it refuses. */
  #connect(client: Socket, tries: number): void {
    const target = this.#targets[this.#next++ % this.#targets.length] ?? 0;
    const service = connect(target, '127.0.0.1');
    service.once('error', () => {
      if (tries > 1 && !client.destroyed) this.#connect(client, tries - 1);
      else client.resetAndDestroy();
    });
    service.once('connect', () => {
      service.removeAllListeners('error');
      this.#join(client, service);
    });
  }

  #join(client: Socket, service: Socket): void {
    if (this.#state === 'CUT' || client.destroyed) {
      for (const socket of [client, service]) socket.resetAndDestroy();
      return;
    }
    this.#services.add(service);
    service.once('close', () => this.#services.delete(service));
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      const isMute = this.#state === 'MUTE' && from === service;
      if (this.#state === 'STALLED' || isMute) from.pause();
      else from.resume();
    }
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #close(): Promise<void> {
    this.#reset();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
