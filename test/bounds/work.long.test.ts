import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  KV,
  type RangeRequestSchema,
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
  Watch,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient } from '../../src/client/node.ts';
import { membersPrefix, WatchSession } from '../etcdv3/etcd.ts';
import { BoundedService } from './support/bounded.ts';
import { cpuOf } from './support/cpu.ts';
import { MEMBERS, makeCrowd, times } from './support/crowd.ts';

// Few requests that cause much work. Those from 127.0.0.1, which has no limits, show the cost of the work; those from
// other addresses, that it counts against the client's limit.

const TOKEN = 'crowd';
/** Units of one client; the next one would come in an hour. */
const UNITS = 400;
const OPERATIONS = 128;
const WATCHES = 1000;
const ROUNDS = 3n;

let service: BoundedService;
before(async () => {
  service = await BoundedService.start(['--client-requests', `1/h:${UNITS}`]);
  await makeCrowd(service.url, TOKEN);
});
after(() => service.remove());

const transportFrom = (localAddress: string) =>
  createGrpcTransport({
    baseUrl: service.url,
    nodeOptions: { createConnection: () => connect({ port: service.port, host: '127.0.0.1', localAddress }) },
  });

const SORTED: MessageInitShape<typeof RangeRequestSchema> = {
  ...membersPrefix(TOKEN),
  sortOrder: SortOrder.DESCEND,
  sortTarget: SortTarget.VALUE,
  limit: 1n,
};

const TRANSACTION = {
  success: Array.from({ length: OPERATIONS }, () => ({
    request: { case: 'requestRange', value: SORTED } as const,
  })),
};

/** Reads over HTTP/1.1 on one connection. Resolves with the status and the bytes. */
class Reader {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #localAddress: string;

  constructor(localAddress: string) {
    this.#localAddress = localAddress;
  }

  async read(path: string, headers: Record<string, string> = {}): Promise<{ status: number; bytes: number }> {
    const { port } = service;
    const to = {
      port,
      host: '127.0.0.1',
      path,
      headers,
      agent: this.#agent,
      localAddress: this.#localAddress,
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(to, resolve).on('error', reject).end();
    });
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    return { status: answer.statusCode ?? 0, bytes };
  }

  page(host?: string): ReturnType<Reader['read']> {
    return this.read(`/${TOKEN}`, { accept: 'text/html', ...(host !== undefined && { host }) });
  }

  close(): void {
    this.#agent.destroy();
  }
}

suite('repeated work is done once:', () => {
  test('a transaction of 128 sorted reads costs as much as a few reads', async () => {
    const kv = createClient(KV, transportFrom('127.0.0.1'));
    const reads = () => times(100, () => kv.range(SORTED));
    const transactions = () => times(100, () => kv.txn(TRANSACTION));
    await reads();
    await transactions();
    const [read, transaction] = [await cpuOf(service.pid, reads), await cpuOf(service.pid, transactions)];
    console.log(`100 sorted reads: ${read} ms of CPU; 100 transactions of ${OPERATIONS}: ${transaction} ms`);
    assert.ok(transaction < (read * OPERATIONS) / 4);
  });

  test('two thousand progress requests on a thousand watches cost no more than starting the watches', async (t) => {
    const client = createDiscoveryClient(service.url);
    await times(WATCHES, (i) => client.createToken({ token: `watched-${i}`, size: 3 }));
    const stream = new WatchSession(createClient(Watch, transportFrom('127.0.0.1')));
    t.after(() => stream.stop());
    const begin = await cpuOf(service.pid, async () => {
      for (let i = 0; i < WATCHES; i += 1) stream.create(membersPrefix(`watched-${i}`));
      for (let i = 0; i < WATCHES; i += 1) assert.ok((await stream.next()).created);
    });
    // V8's own work differs from round to round.
    let ask = Number.POSITIVE_INFINITY;
    for (let round = 1n; round <= ROUNDS; round += 1n) {
      let answers = 0;
      const took = await cpuOf(service.pid, async () => {
        for (let i = 0; i < 2000; i += 1) stream.progress();
        // Handled after all of them.
        stream.cancel(round);
        for (;;) {
          const answer = await stream.next();
          if (answer.canceled) break;
          answers += 1;
        }
      });
      console.log(
        `${WATCHES} watches: ${begin} ms of CPU; 2000 progress requests, ${answers} responses: ${took} ms`,
      );
      assert.ok(answers >= 1 && answers < 200, `${answers} responses`);
      ask = Math.min(ask, took);
    }
    assert.ok(ask < begin);
  });
});

suite('new work counts against the limit:', () => {
  test('transactions above the limit are rejected, and other clients are served', async () => {
    const kv = createClient(KV, transportFrom('127.0.0.2'));
    const done = await service.servesDuring(async () => {
      for (let count = 0; ; count += 1) {
        try {
          await kv.txn(TRANSACTION);
        } catch (thrown) {
          assert.equal(ConnectError.from(thrown).code, Code.ResourceExhausted);
          return count;
        }
      }
    });
    assert.ok(done >= 1 && done < UNITS / 20, `${done} succeeded`);
    await assert.rejects(kv.range(SORTED), { code: Code.ResourceExhausted });
    await service.assertWell();
  });

  // Sending a page takes six units, including the request, and sending a list three. Rendering takes far more.
  for (const [what, localAddress, [least, most], read] of [
    ['different pages', '127.0.0.3', [5, 45], (reader: Reader, i: number) => reader.page(`h${i}`)],
    ['identical pages', '127.0.0.4', [30, 70], (reader: Reader) => reader.page()],
    ['lists', '127.0.0.5', [100, 140], (reader: Reader) => reader.read(`/${TOKEN}`)],
  ] as const) {
    test(`${what} above the limit are rejected, and other clients are served`, async (t) => {
      const readers = Array.from({ length: 8 }, () => new Reader(localAddress));
      t.after(() => {
        for (const reader of readers) reader.close();
      });
      let begun = 0;
      let answered = 0;
      const readAll = async (reader: Reader): Promise<void> => {
        for (;;) {
          const { status, bytes } = await read(reader, begun++);
          if (status !== 200) return;
          assert.ok(bytes > 100 * MEMBERS);
          answered += 1;
        }
      };
      await service.servesDuring(() => Promise.all(readers.map(readAll)));
      console.log(`${answered} ${what}`);
      assert.ok(answered >= least && answered <= most, `${answered} were served`);
      await service.assertWell();
    });
  }

  test('messages of a stream above the limit wait, and other clients are served', async (t) => {
    const stream = new WatchSession(createClient(Watch, transportFrom('127.0.0.6')));
    t.after(() => stream.stop());
    let answered = 0;
    const reading = async (): Promise<void> => {
      for (;;) {
        await stream.next();
        answered += 1;
      }
    };
    reading().catch(() => {});
    await service.servesDuring(async () => {
      for (let i = 0; i < 2 * UNITS; i += 1) stream.create(membersPrefix(TOKEN));
      // Another request of the client is rejected: it has no units left.
      const kv = createClient(KV, transportFrom('127.0.0.6'));
      for (;;) {
        try {
          await kv.range(SORTED);
        } catch (thrown) {
          assert.equal(ConnectError.from(thrown).code, Code.ResourceExhausted);
          break;
        }
      }
    });
    assert.ok(answered <= UNITS, `${answered} were handled`);
    await service.assertWell();
  });
});
