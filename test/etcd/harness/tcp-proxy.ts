import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './ports.ts';
import type { Owner } from './scene.ts';

/**
 * A TCP proxy on loopback before ports of 127.0.0.1, to break connections in the ways that networks do. Before
 * several it is a balancer: each connection goes to the next one that takes it.
 */
export class TcpProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #targets: readonly number[];
  readonly #sockets = new Set<Socket>();
  /** Those to the targets, which bring the answers. */
  readonly #services = new Set<Socket>();
  #next = 0;
  #state: 'OPEN' | 'CUT' | 'STALLED' | 'MUTE' = 'OPEN';

  private constructor(port: number, targets: readonly number[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#targets = targets;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(port, '127.0.0.1');
  }

  /** Begins to forward to the ports of URLs. Closed with its owner. */
  static async open(owner: Owner, ...targetUrls: readonly string[]): Promise<TcpProxy> {
    const [port = 0] = await freePorts(1);
    const proxy = new TcpProxy(
      port,
      targetUrls.map((url) => Number(new URL(url).port)),
    );
    owner.after(() => proxy.#close());
    return proxy;
  }

  /** How many connections of clients it holds. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Resets every connection, and each that comes, until `restore`. */
  cut(): void {
    this.#state = 'CUT';
    this.#reset();
  }

  /** Keeps every connection open and passes nothing on, as a network does that loses packets. */
  stall(): void {
    this.#state = 'STALLED';
    for (const socket of this.#sockets) socket.pause();
  }

  /** Passes requests on and keeps their answers, also those on connections that come, until `restore`. */
  mute(): void {
    this.#state = 'MUTE';
    for (const socket of this.#services) socket.pause();
  }

  /** Forwards new connections again. What was stalled stays so: its packets are lost. */
  restore(): void {
    this.#state = 'OPEN';
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#state === 'CUT') {
      client.resetAndDestroy();
      return;
    }
    // What it says waits until somebody takes the connection.
    client.pause();
    this.#connect(client, this.#targets.length);
  }

  /** Joins a client with the next target; as long as one does not take it, with the one after that. */
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
