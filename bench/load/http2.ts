// One plaintext HTTP/2 connection for gRPC, as bytes, because Node.js's own client costs more than the servers under
// test. It implements only what it needs: it sends headers without compression, and ignores received ones. A
// successful gRPC call has a message, and a rejected one has none.

import { connect, type Socket } from 'node:net';

/** The events of a stream. Called while the bytes are being read. */
export interface StreamListener {
  /** The data of a DATA frame, to be processed now, because the next read overwrites it. */
  data?(bytes: Buffer): void;
  /** The stream has ended normally, after this many bytes of data. */
  end(bytes: number): void;
  failed(error: Error): void;
}

interface Stream {
  readonly listener: StreamListener;
  bytes: number;
}

const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const HEAD_BYTES = 9;
/** The preface, empty settings, and a window that is large enough for a whole run. */
const OPENING = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(TYPE.settings, 0, 0, Buffer.alloc(0)),
  frame(TYPE.windowUpdate, 0, 0, Buffer.from([0x7f, 0, 0, 0])),
]);

// Shared by all connections: data is processed before the next read.
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
const EMPTY = Buffer.alloc(0);

export class RawHttp2Connection {
  readonly #socket: Socket;
  readonly #streams = new Map<number, Stream>();
  #nextId = 1;
  #rest: Buffer = EMPTY;
  #closed = false;

  private constructor(port: number, onConnect: () => void, onFail: (error: Error) => void) {
    const onread = {
      buffer: READ_BUFFER,
      callback: (length: number): boolean => {
        this.#read(READ_BUFFER.subarray(0, length));
        return true;
      },
    };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread }, () => {
      this.#socket.write(OPENING);
      onConnect();
    });
    const fail = (error: Error): void => {
      onFail(error);
      this.#fail(error);
    };
    this.#socket.on('error', fail);
    this.#socket.on('close', () => fail(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RawHttp2Connection> {
    return new Promise((resolve, reject) => {
      const connection = new RawHttp2Connection(port, () => resolve(connection), reject);
    });
  }

  /** Opens a stream with headers from `headersOf` and data. A two-way stream stays open for more data. */
  request(headers: Buffer, data: Uint8Array, isTwoWay: boolean, listener: StreamListener): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#streams.set(id, { listener, bytes: 0 });
    const flags = isTwoWay ? 0 : END_STREAM;
    this.#socket.write(
      Buffer.concat([frame(TYPE.headers, END_HEADERS, id, headers), frame(TYPE.data, flags, id, data)]),
    );
  }

  close(): void {
    this.#closed = true;
    this.#streams.clear();
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#frame(bytes[3] ?? 0, bytes[4] ?? 0, bytes.readUInt32BE(5), bytes.subarray(HEAD_BYTES, end));
      bytes = bytes.subarray(end);
    }
    // Copied, because the next read overwrites it.
    this.#rest = bytes.length === 0 ? EMPTY : Buffer.from(bytes);
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === TYPE.settings && (flags & ACK) === 0) {
      this.#socket.write(frame(TYPE.settings, ACK, 0, EMPTY));
    } else if (type === TYPE.ping && (flags & ACK) === 0) {
      this.#socket.write(frame(TYPE.ping, ACK, 0, payload));
    } else if (type === TYPE.goAway) this.#fail(new Error('the server closed the connection (GOAWAY)'));
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (type === TYPE.data && payload.length > 0) {
      stream.bytes += payload.length;
      stream.listener.data?.(payload);
    }
    if (type === TYPE.reset) this.#over(id, stream, new Error('the server reset a call (RST_STREAM)'));
    else if ((type === TYPE.data || type === TYPE.headers) && (flags & END_STREAM) !== 0) {
      this.#over(id, stream, undefined);
    }
  }

  #over(id: number, { listener, bytes }: Stream, error: Error | undefined): void {
    this.#streams.delete(id);
    if (error === undefined) listener.end(bytes);
    else listener.failed(error);
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    const streams = [...this.#streams.values()];
    this.close();
    for (const { listener } of streams) listener.failed(error);
  }
}

/** Returns the header block of a gRPC call: literals without indexing, so that it is the same for every call. */
export function headersOf(path: string): Buffer {
  const fields = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', '127.0.0.1'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ['user-agent', 'grpc-go/1.71.1'],
  ];
  return Buffer.concat(fields.flatMap(([name = '', value = '']) => [Buffer.of(0), text(name), text(value)]));
}

/** For strings below 127 bytes, like all of these. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}

function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}
