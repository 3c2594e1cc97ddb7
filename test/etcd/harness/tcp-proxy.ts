import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from './ports.ts';
import type { Owner } from './scene.ts';

/** A TCP proxy on loopback before a port of 127.0.0.1, to break connections in the ways that networks do. */
export class TcpProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #state: 'OPEN' | 'CUT' | 'STALLED' = 'OPEN';

  private constructor(port: number, target: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#target = target;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(port, '127.0.0.1');
  }

  /** Begins to forward to the port of a URL. Closed with its owner. */
  static async open(owner: Owner, targetUrl: string): Promise<TcpProxy> {
    const [port = 0] = await freePorts(1);
    const proxy = new TcpProxy(port, Number(new URL(targetUrl).port));
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

  /** Forwards new connections again. What was stalled stays so: its packets are lost. */
  restore(): void {
    this.#state = 'OPEN';
  }

  #accept(client: Socket): void {
    if (this.#state === 'CUT') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const service = connect(this.#target, '127.0.0.1');
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
      if (this.#state === 'STALLED') from.pause();
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
