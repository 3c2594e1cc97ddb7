import assert from 'node:assert/strict';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  Auth,
  Cluster,
  KV,
  Maintenance,
  Watch,
  type WatchCreateRequestSchema,
  type WatchRequestSchema,
  type WatchResponse,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Event } from '../../gen/etcd/mvccpb/kv_pb.ts';

/** Clients of an etcd, or of a server like it, on one connection. */
export interface Etcd {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly cluster: Client<typeof Cluster>;
  readonly auth: Client<typeof Auth>;
}

/** Connects over gRPC on plaintext HTTP/2, like etcd's clients. */
export function connect(baseUrl: string): Etcd {
  const transport = createGrpcTransport({ baseUrl });
  return {
    kv: createClient(KV, transport),
    watch: createClient(Watch, transport),
    maintenance: createClient(Maintenance, transport),
    cluster: createClient(Cluster, transport),
    auth: createClient(Auth, transport),
  };
}

export const REGISTRY = '/_etcd/registry/';

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function sizeKey(token: string): Uint8Array<ArrayBuffer> {
  return bytes(`${REGISTRY}${token}/_config/size`);
}

export function memberKey(token: string, id: string): Uint8Array<ArrayBuffer> {
  return bytes(`${REGISTRY}${token}/members/${id}`);
}

/** Returns the range of all keys with a prefix. */
export function prefix(start: string): { key: Uint8Array<ArrayBuffer>; rangeEnd: Uint8Array<ArrayBuffer> } {
  const end = bytes(start);
  end.set([(end.at(-1) ?? 0) + 1], end.length - 1);
  return { key: bytes(start), rangeEnd: end };
}

/** Returns the range of all keys of a token. */
export function tokenPrefix(token: string): ReturnType<typeof prefix> {
  return prefix(`${REGISTRY}${token}/`);
}

/** Returns the prefix that a node reads and watches. */
export function membersPrefix(token: string): ReturnType<typeof prefix> {
  return prefix(`${REGISTRY}${token}/members`);
}

/** Returns the value of the i-th node of an example cluster. */
export function infraValue(i: number): Uint8Array<ArrayBuffer> {
  return bytes(`infra${i}=http://10.0.${i >> 8}.${i & 255}:2380`);
}

type WatchRequestInit = MessageInitShape<typeof WatchRequestSchema>;

/** A stream of watches, with responses taken one at a time. */
export class WatchSession {
  readonly #abort = new AbortController();
  readonly #requests: WatchRequestInit[] = [];
  readonly #answers: AsyncIterator<WatchResponse>;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(client: Client<typeof Watch>) {
    const answers = client.watch(this.#outgoing(), { signal: this.#abort.signal });
    this.#answers = answers[Symbol.asyncIterator]();
  }

  async *#outgoing(): AsyncGenerator<WatchRequestInit> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined) yield request;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  send(request: NonNullable<WatchRequestInit['requestUnion']>): void {
    this.#requests.push({ requestUnion: request });
    this.#wake?.();
  }

  create(request: MessageInitShape<typeof WatchCreateRequestSchema>): void {
    this.send({ case: 'createRequest', value: request });
  }

  cancel(watchId: bigint): void {
    this.send({ case: 'cancelRequest', value: { watchId } });
  }

  progress(): void {
    this.send({ case: 'progressRequest', value: {} });
  }

  /** Ends the requests; responses continue. */
  endRequests(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Returns the next response. Rejects if the stream has failed or ended. */
  async next(): Promise<WatchResponse> {
    const result = await this.#answers.next();
    assert.ok(result.done !== true, 'the stream ended before the response');
    return result.value;
  }

  /** Creates a watch and takes the response to that. */
  async started(request: MessageInitShape<typeof WatchCreateRequestSchema>): Promise<WatchResponse> {
    this.create(request);
    const answer = await this.next();
    assert.ok(answer.created, 'the response says that the watch was created');
    assert.ok(!answer.canceled, `the watch was rejected: ${answer.cancelReason}`);
    return answer;
  }

  /** Returns the next events, from as many responses as necessary. */
  async events(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) {
      const answer = await this.next();
      assert.ok(answer.events.length > 0, `a response without events: ${JSON.stringify(plain(answer))}`);
      events.push(...answer.events);
    }
    assert.equal(events.length, count);
    return events;
  }

  /** Resolves when the stream ends normally. Rejects with its failure, or if a response arrives instead. */
  async end(): Promise<void> {
    const result = await this.#answers.next();
    assert.ok(result.done, `a response instead of the end: ${JSON.stringify(plain(result.value))}`);
  }

  /** Closes the stream. */
  stop(): void {
    this.#abort.abort();
    this.endRequests();
    // The test does not care how the stream ends.
    this.#answers.next().catch(() => {});
  }
}

export type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };

/** Returns a message as readable JSON: bytes as text, numbers as numbers, without unset fields. */
export function plain(value: unknown): Plain {
  if (value instanceof Uint8Array) return text(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Plain;
  const { case: name, value: chosen } = value as { case?: string; value?: unknown };
  if (Object.hasOwn(value, 'case')) return name === undefined ? {} : { [name]: plain(chosen) };
  const fields = Object.entries(value)
    .filter(([field, set]) => !field.startsWith('$') && set !== undefined)
    .map(([field, set]): [string, Plain] => [field, plain(set)])
    .filter(([, set]) => !isDefault(set));
  return Object.fromEntries(fields);
}

function isDefault(value: Plain): boolean {
  return value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}
