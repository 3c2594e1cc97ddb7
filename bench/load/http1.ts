// One HTTP/1.1 connection, with one request at a time on it. Works on bytes, because Node.js's own client costs more
// than the servers under test.

import { connect, type Socket } from 'node:net';

/** The events of a connection. Called while the bytes are being read. */
export interface Listener {
  /** The head of a response has arrived, but not its body. */
  head(connection: RawHttp1Connection): void;
  /** A response is complete. */
  done(connection: RawHttp1Connection): void;
  failed(connection: RawHttp1Connection, error: Error): void;
}

// Shared by all connections: data is processed before the next read.
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';

export class RawHttp1Connection {
  /** The status of the last response. */
  status = 0;
  /** The size of the last response's body, with chunk headers. */
  bodyBytes = 0;
  /** The head and the first bytes of the last response, if it was an error. */
  refusal = '';
  readonly #socket: Socket;
  #listener: Listener | undefined;
  /** The head so far; undefined while a body is read. */
  #head: string | undefined = '';
  /** The remaining bytes of the body; -1 if it is chunked. */
  #rest = 0;
  #tail = '';
  #closed = false;

  private constructor(port: number, onConnect: () => void) {
    const onread = {
      buffer: READ_BUFFER,
      callback: (length: number): boolean => {
        this.#read(length);
        return true;
      },
    };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread }, onConnect);
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RawHttp1Connection> {
    return new Promise((resolve, reject) => {
      const connection = new RawHttp1Connection(port, () => resolve(connection));
      connection.#listener = { head() {}, done() {}, failed: (_, error) => reject(error) };
    });
  }

  send(request: Uint8Array, listener: Listener): void {
    this.#listener = listener;
    this.#head = '';
    this.bodyBytes = 0;
    this.#tail = '';
    this.#socket.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #read(length: number): void {
    if (this.#head === undefined) {
      this.#body(0, length);
      return;
    }
    // Nearly every response arrives in one piece.
    const text = this.#head + READ_BUFFER.toString('latin1', 0, length);
    const end = text.indexOf(HEAD_END);
    if (end === -1) {
      this.#head = text;
      return;
    }
    const bodyStart = end + HEAD_END.length - this.#head.length;
    const head = text.slice(0, end);
    this.#head = undefined;
    this.status = Number(head.slice(9, 12));
    if (this.status >= 300) this.refusal = text;
    this.#rest = bodyLength(head);
    this.#listener?.head(this);
    if (this.#rest === 0) this.#listener?.done(this);
    else if (length > bodyStart) this.#body(bodyStart, length);
  }

  #body(start: number, end: number): void {
    const length = end - start;
    this.bodyBytes += length;
    if (this.#rest === -1) {
      this.#tail = (this.#tail + READ_BUFFER.toString('latin1', Math.max(start, end - 5), end)).slice(-5);
      if (this.#tail === LAST_CHUNK) this.#listener?.done(this);
      return;
    }
    this.#rest -= length;
    if (this.#rest === 0) this.#listener?.done(this);
    else if (this.#rest < 0) this.#fail(new Error('a response is longer than its content-length'));
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#listener?.failed(this, error);
  }
}

function bodyLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? -1 : 0;
}
