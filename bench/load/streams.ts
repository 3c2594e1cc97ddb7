// Thousands of waiting gRPC streams: etcd's v3 watches, and WatchMembers.

import { headersOf, RawHttp2Connection } from './http2.ts';
import { type WakeResult, wakeResult } from './loop.ts';

export interface Streams {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly streamsEach: number;
  /** The gRPC frame that each stream sends. Its response is a message. */
  readonly data: Uint8Array;
  /** Whether the client may send more later. */
  readonly isTwoWay: boolean;
}

export interface StreamsWake {
  readonly port: number;
  /** The call that wakes them. */
  readonly path: string;
  readonly data: Uint8Array;
}

const PREFIX_BYTES = 5;
// Below the listen backlog of servers.
const OPENING_AT_ONCE = 50;

let connections: RawHttp2Connection[] = [];
let streams: WaitingStream[] = [];

/** One stream, of which one message at a time is awaited. */
class WaitingStream {
  #rest = Buffer.alloc(0);
  #came: (time: number) => void = () => {};
  #refuse: (error: Error) => void = () => {};
  #error: Error | undefined;

  data(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) break;
      this.#rest = this.#rest.subarray(end);
      this.#came(performance.now());
    }
  }

  failed(error: Error): void {
    this.#error = error;
    this.#refuse(error);
  }

  /** Resolves with the time at which the next message arrives. */
  next(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) reject(this.#error);
      this.#came = resolve;
      this.#refuse = reject;
    });
  }
}

/** Opens the connections and their streams. Resolves when every stream waits. */
export async function openStreams(wanted: Streams): Promise<void> {
  const headers = headersOf(wanted.path);
  for (let opened = 0; opened < wanted.connections; opened += OPENING_AT_ONCE) {
    const count = Math.min(OPENING_AT_ONCE, wanted.connections - opened);
    const batch = await Promise.all(
      Array.from({ length: count }, () => RawHttp2Connection.open(wanted.port)),
    );
    connections.push(...batch);
    const begun = batch.flatMap((connection) =>
      Array.from({ length: wanted.streamsEach }, () => {
        const stream = new WaitingStream();
        connection.request(headers, wanted.data, wanted.isTwoWay, {
          data: (bytes) => stream.data(bytes),
          end: () => stream.failed(new Error(`${wanted.path} ended early`)),
          failed: (error) => stream.failed(error),
        });
        return stream;
      }),
    );
    await Promise.all(begun.map((stream) => stream.next()));
    streams.push(...begun);
  }
}

/** Makes the call. Resolves when every stream has received its message. */
export async function wakeStreams({ port, path, data }: StreamsWake): Promise<WakeResult> {
  const woken = streams.map((stream) => stream.next());
  const connection = await RawHttp2Connection.open(port);
  const sentAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    connection.request(headersOf(path), data, false, {
      end: (bytes) => (bytes > 0 ? resolve() : reject(new Error(`${path} was refused`))),
      failed: reject,
    });
  });
  const result = await wakeResult(sentAt, woken);
  connection.close();
  return result;
}

export function closeStreams(): void {
  for (const connection of connections) connection.close();
  connections = [];
  streams = [];
}
