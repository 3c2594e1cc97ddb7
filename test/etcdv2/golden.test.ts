import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { compare, type Exchange, type Expected, Indexes, recorded, type Shape, shapeOf } from './exchange.ts';
import { type Answer, type OpenAnswer, open, type Sent } from './http.ts';
import { type Stack, startStack } from './stack.ts';

/** A response that differs from the recorded one on purpose. */
interface Difference {
  readonly reason: string;
  /** Returns the expected response, derived from the recorded one. */
  change(shape: Shape): Shape;
}

const WORDS_NOT_KEY = 'a node logs the cause, so it says what to do about the token';
const RANK = 'a replaced member keeps its createdIndex, which determines its rank';

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'size of a token that does not exist': {
    reason: WORDS_NOT_KEY,
    change: withBody({ cause: /^no such token: .* create a new one: curl 'http:\/\/\S+\/new\?size=3'$/ }),
  },
  'register the same member again, same value': {
    reason: 'an identical registration is a retry by a node that crashed or lost the response',
    change: (shape) => ({
      ...shape,
      status: 201,
      body: {
        action: 'create',
        node: {
          key: fieldsOf(shape.body)['cause'],
          value: 'infra1=http://10.0.0.1:2380',
          modifiedIndex: 7,
          createdIndex: 7,
        },
      },
    }),
  },
  'update a member (no prevExist)': { reason: RANK, change: withNode({ createdIndex: 8 }) },
  'update a member that must exist': {
    reason: RANK,
    change: (shape) => withNode({ createdIndex: 8 }, 'prevNode')(withNode({ createdIndex: 8 })(shape)),
  },
  'delete a member': {
    reason: RANK,
    change: (shape) => withNode({ createdIndex: 8 }, 'prevNode')(withNode({ createdIndex: 8 })(shape)),
  },
  'wait in the future stays open with headers sent': {
    reason:
      'an index that the store has not reached belongs to another store, or to this one before a restore',
    change: ({ headers }) => ({
      status: 503,
      headers,
      body: {
        errorCode: 300,
        message: 'Raft Internal Error',
        cause: /^the store is at index \d+; waitIndex \d+ is from another store, .*; read the list again$/,
        index: 8,
      },
    }),
  },
  'size is not a number is stored all the same': {
    reason: 'an invalid size is rejected, because a node would exit or panic',
    change: refusal(400, 209, 'Invalid field', /size must be a whole number of members, not 'abc'$/),
  },
  'no value': {
    reason: 'a malformed value is rejected, because every node that lists it would exit',
    change: refusal(400, 209, 'Invalid field', /^the value is missing; .*NAME=PEER_URL/),
  },
  'size after the token is gone': {
    reason: WORDS_NOT_KEY,
    change: withBody({
      message: 'Token deleted',
      cause: /^the token was deleted .* ago; create a new one: curl 'http:\/\/\S+\/new\?size=3'$/,
    }),
  },
  'unknown method': {
    reason: 'every error is JSON, and discovery does not use POST (keys in order)',
    change: (shape) => ({
      ...refusal(405, 110, 'Method Not Allowed', /HEAD, GET, PUT or DELETE$/)(shape),
      headers: { 'content-type': 'application/json', allow: 'HEAD,GET,PUT,DELETE', 'x-etcd-index': '0' },
    }),
  },
};

function withBody(fields: Record<string, Expected>): Difference['change'] {
  return (shape) => ({ ...shape, body: { ...fieldsOf(shape.body), ...fields } });
}

function withNode(fields: Record<string, Expected>, name = 'node'): Difference['change'] {
  return (shape) => withBody({ [name]: { ...fieldsOf(fieldsOf(shape.body)[name]), ...fields } })(shape);
}

function refusal(status: number, errorCode: number, message: string, cause: RegExp): Difference['change'] {
  return (shape) => ({
    status,
    headers: { ...shape.headers, 'x-etcd-index': '0' },
    body: { errorCode, message, cause, index: 0 },
  });
}

function fieldsOf(json: Expected): Record<string, Expected> {
  return json as Record<string, Expected>;
}

/** Recorded bootstraps are sorted by the end of each exchange, so the start of a wait is unknown. */
function ofBootstrap({ request, response }: Exchange): Shape {
  const shape = shapeOf(response);
  if (!isWait(request.path)) return shape;
  const { 'x-etcd-index': _index, ...headers } = shape.headers;
  return { ...shape, headers };
}

function isWait(path: string): boolean {
  return /[?&]wait=true/.test(path);
}

const ETCD = '/v2/keys/_etcd/registry';

/** Two ways to write a path. The recordings are of a plain etcd, whose redirects contain its own paths. */
const FAMILIES = [
  { name: 'paths of a plain etcd', prefix: ETCD, ownRedirects: (shape: Shape) => shape },
  {
    name: 'paths of the discovery service',
    prefix: '',
    ownRedirects: (shape: Shape): Shape =>
      shape.status === 301 ? { ...shape, body: (shape.body as string).replace(ETCD, '') } : shape,
  },
] as const;

interface Waiting {
  readonly exchange: Exchange;
  readonly answer: OpenAnswer;
}

/** Replays recordings against the gateway: each request in turn, with waits in the background. */
class Replay {
  readonly #stack: Stack;
  readonly #prefix: string;
  readonly #indexes = new Indexes();
  readonly #expect: (exchange: Exchange) => Shape;
  #waiting: Waiting[] = [];

  constructor(stack: Stack, prefix: string, expect: (exchange: Exchange) => Shape) {
    this.#stack = stack;
    this.#prefix = prefix;
    this.#expect = expect;
  }

  async play(exchange: Exchange): Promise<void> {
    const { method, path, body } = exchange.request;
    const asked = path.replace(
      /waitIndex=(\d+)/,
      (_, index) => `waitIndex=${this.#indexes.ours(Number(index))}`,
    );
    const sent: Sent = body === undefined || body === '' ? {} : { body };
    const answer = await open(this.#stack.url, method, this.#prefix + asked, sent);
    if (isWait(path) && answer.status === 200) this.#waiting.push({ exchange, answer });
    else this.#check(exchange, { ...answer, body: await answer.body });
  }

  /** Awaits the waits that were recorded with an end, and aborts the others, which must still be open. */
  async finish(): Promise<void> {
    for (const { exchange, answer } of this.#waiting) {
      if (exchange.response.stillOpen) {
        assert.ok(!answer.ended(), `${exchange.name}: the wait is open`);
        answer.abort();
      }
      const body = exchange.response.stillOpen ? answer.soFar() : await answer.body;
      this.#check(exchange, { ...answer, body });
    }
    this.#waiting = [];
  }

  #check(exchange: Exchange, answer: Answer): void {
    const expected = this.#expect(exchange);
    const headers = Object.fromEntries(
      Object.keys(expected.headers).map((name) => [name, answer.headers[name]]),
    );
    const { status, body } = shapeOf({ ...answer, headers: answer.headers as Record<string, string> });
    const where = exchange.name ?? `${exchange.request.method} ${exchange.request.path}`;
    compare({ status, headers, body }, { ...expected }, this.#indexes, where);
  }
}

for (const { name, prefix, ownRedirects } of FAMILIES) {
  suite(name, () => {
    test("every recorded exchange gets etcd's response, or differs as listed", async (t) => {
      const stack = await startStack();
      t.after(() => stack.close());
      // Recorded indexes do not start at 0, which means none.
      await stack.client.createToken({ size: 1 });
      const met = new Set<string>();
      const replay = new Replay(stack, prefix, (exchange) => {
        const shape = ownRedirects(shapeOf(exchange.response));
        const difference = DIFFERENCES[exchange.name ?? ''];
        if (difference === undefined) return shape;
        met.add(exchange.name ?? '');
        const changed = difference.change(shape);
        assert.notDeepEqual(changed, shape, `the listed difference "${exchange.name}" differs`);
        return changed;
      });
      for (const exchange of recorded('etcd-3.4-v2.jsonl')) {
        if (exchange.name === 'delete the token') await replay.finish();
        await replay.play(exchange);
      }
      await replay.finish();
      assert.deepEqual([...met].sort(), Object.keys(DIFFERENCES).sort(), 'every listed difference occurred');
      assert.deepEqual(stack.defects, []);
    });

    for (const version of ['3.4', '3.5']) {
      test(`replays the recorded bootstrap of four nodes of etcd ${version}`, async (t) => {
        const stack = await startStack();
        t.after(() => stack.close());
        const exchanges = recorded(`bootstrap-etcd-${version}.jsonl`);
        const token = exchanges[0]?.request.path.split(/[/?]/)[1] ?? '';
        await stack.client.createToken({ token, size: 3 });
        const replay = new Replay(stack, prefix, ofBootstrap);
        for (const exchange of exchanges) await replay.play(exchange);
        await replay.finish();
        assert.deepEqual(stack.defects, []);
      });
    }
  });
}
