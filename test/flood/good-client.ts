import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { get as getTls, Agent as TlsAgent } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { ListMembersRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { CA } from '../tls/files.ts';
import { ratio } from './flooded.ts';

/** The medians of the good client's latency, in ms. */
export interface Latency {
  readonly v2: number;
  readonly grpc: number;
  readonly samples: number;
}

/** Pause between two calls, so that the client adds hardly any load. */
const PAUSE_MS = 3;

/** A client that makes the calls of nodes on one HTTP/1.1 and one HTTP/2 connection, and measures their latency. */
export class GoodClient {
  /** The number of its connections to the service. */
  static readonly CONNECTIONS = 2;
  readonly #agent: Agent | TlsAgent;
  readonly #session: ClientHttp2Session;
  readonly #url: string;
  #token: string;
  #body: Buffer = Buffer.alloc(0);

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    const options = { keepAlive: true, maxSockets: 1, ca: CA };
    this.#agent = url.startsWith('https:') ? new TlsAgent(options) : new Agent(options);
    this.#session = connect(url, { ca: CA });
  }

  /** Uses a token or creates one, and calls until the service's code is compiled. */
  static async connect(url: string, known?: string): Promise<GoodClient> {
    const client = new GoodClient(url, known ?? 'new?size=3');
    const token = known ?? new URL((await client.#v2()).trim()).pathname.slice(1);
    client.#token = token;
    const message = toBinary(ListMembersRequestSchema, create(ListMembersRequestSchema, { token }));
    client.#body = Buffer.concat([Buffer.alloc(5), message]);
    client.#body.writeUInt32BE(message.length, 1);
    for (let i = 0; i < 300; i += 1) {
      await client.#v2();
      await client.#grpc();
    }
    return client;
  }

  /** Calls for as long as the promise takes, or for this many ms. */
  async latency(during: Promise<unknown> | number): Promise<Latency> {
    const over = new AbortController();
    const end = typeof during === 'number' ? sleep(during) : during;
    // The caller handles its failure.
    void end.catch(() => {}).finally(() => over.abort());
    const v2: number[] = [];
    const grpc: number[] = [];
    while (!over.signal.aborted || v2.length < 5) {
      v2.push(await timed(() => this.#v2()));
      await sleep(PAUSE_MS);
      grpc.push(await timed(() => this.#grpc()));
      await sleep(PAUSE_MS);
    }
    return { v2: median(v2), grpc: median(grpc), samples: v2.length };
  }

  close(): void {
    this.#agent.destroy();
    this.#session.destroy();
  }

  async #v2(): Promise<string> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const ask = this.#url.startsWith('https:') ? getTls : get;
      ask(`${this.#url}/${this.#token}`, { agent: this.#agent }, resolve).on('error', reject);
    });
    assert.equal(response.statusCode, 200);
    return text(response);
  }

  async #grpc(): Promise<void> {
    const status = await new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ':method': 'POST',
        ':path': '/discovery.v1.DiscoveryService/ListMembers',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream
        .on('error', reject)
        .on('trailers', (trailers: IncomingHttpHeaders) => resolve(trailers['grpc-status']));
      stream.resume().end(this.#body);
    });
    assert.equal(status, '0');
  }
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await call();
  return performance.now() - begin;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Attempts: another program on the machine does not disturb every round. */
const ROUNDS = 5;
const CALM_MS = 400;

/**
 * Measures the client's latency before and during an attack. The median during the attack must be at most three times
 * that before.
 */
export async function assertServed(
  client: GoodClient,
  what: string,
  attack: () => Promise<unknown>,
): Promise<void> {
  let report = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await client.latency(CALM_MS);
    const attacking = attack();
    const during = await client.latency(attacking);
    const result = await attacking;
    const times = (['v2', 'grpc'] as const).map((kind) => during[kind] / before[kind]);
    report = `${what}: ${(['v2', 'grpc'] as const).map((kind) => `${kind} ${before[kind].toFixed(2)} -> ${during[kind].toFixed(2)} ms (${ratio(during[kind], before[kind])})`).join(', ')}; ${during.samples} samples; ${JSON.stringify(result)}`;
    console.log(report);
    if (times.every((time) => time <= 3)) return;
  }
  assert.fail(`other clients waited more than three times as long in ${ROUNDS} rounds. ${report}`);
}
