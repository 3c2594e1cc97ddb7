import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { waitFor } from '../../support/wait.ts';

/** State of the peer's side of a connection. `fin`: closed normally. */
export type End = 'open' | 'fin' | 'reset';

/** A TCP client that sends arbitrary bytes, and keeps everything that it receives. */
export class RawClient {
  readonly #socket: Socket;
  /** Concatenated only when read: a response of megabytes comes in hundreds of chunks. */
  #chunks: Buffer[] = [];
  #end: End = 'open';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
    });
    socket.on('end', () => {
      if (this.#end === 'open') this.#end = 'fin';
    });
    socket.on('error', () => {
      this.#end = 'reset';
    });
    socket.on('close', () => {
      if (this.#end === 'open') this.#end = 'reset';
    });
  }

  /** `from`: another loopback address, for a client that does not count as local. */
  static connect(port: number, from = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const where = { port, host: '127.0.0.1', localAddress: from };
      const socket = connect({ ...where, allowHalfOpen: true, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Like `connect`, over TLS. Rejects if the handshake fails. */
  static secure(port: number, options: ConnectionOptions): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ...options });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  get heard(): Buffer {
    const heard = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    if (heard !== undefined) return heard;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  get end(): End {
    return this.#end;
  }

  /** Text is sent as latin1: one byte per character. Bytes for a closed connection are dropped. */
  send(bytes: string | Uint8Array): void {
    if (this.#socket.writable) {
      this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    }
  }

  /** Sends so that the peer receives each byte separately. */
  async sendByteByByte(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      this.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  }

  /** Closes this side only. */
  finish(): void {
    this.#socket.end();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async until(what: string, condition: (heard: Buffer) => boolean, timeoutMs?: number): Promise<void> {
    await waitFor(what, () => condition(this.heard), timeoutMs);
  }

  /** Waits until the peer has closed the connection. */
  async untilClosed(timeoutMs?: number): Promise<End> {
    await waitFor('the peer to close', () => this.#end !== 'open', timeoutMs);
    return this.#end;
  }
}
