import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { REQUEST_LIMITS } from '../../../src/limits.ts';
import { encodeGrpcMessage } from '../../../src/server/rpc/grpc-message.ts';
import { envelope, SIZE_3 } from '../../port/support/envelope.ts';
import { type RunningService, startService } from '../../support/service.ts';

const RPC = '/discovery.v1.DiscoveryService';
const CREATE = `${RPC}/CreateToken`;
const LARGE = Buffer.alloc(REQUEST_LIMITS.rpcMessageBytes + 1, ' ');
const LIMIT = new RegExp(`too large.*\\b${REQUEST_LIMITS.rpcMessageBytes}\\b`);

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

interface Heard {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function post(
  path: string,
  headers: Record<string, string>,
  body: string | Uint8Array = '{"size":3}',
): Promise<Heard> {
  const method = 'POST';
  const response = await fetch(service.url + path, {
    method,
    headers,
    body: Buffer.from(body),
    redirect: 'manual',
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function get(path: string): Promise<Heard> {
  const response = await fetch(service.url + path);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Sends a call over HTTP/2. Returns headers and trailers in one object. */
async function grpc(
  path: string,
  headers: Record<string, string>,
  body: Uint8Array = envelope(0, 2, SIZE_3),
): Promise<IncomingHttpHeaders> {
  const session = connect(service.url);
  const type = { 'content-type': 'application/grpc' };
  const stream = session.request({ ':method': 'POST', ':path': path, te: 'trailers', ...type, ...headers });
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (come: IncomingHttpHeaders) => {
    trailers = come;
  });
  stream.end(body);
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  await buffer(stream);
  session.close();
  return { ...head, ...trailers };
}

suite('a media type with parameters is that type', () => {
  for (const type of [
    'application/json; charset="utf-8"',
    'application/json;charset=UTF-8',
    'application/json ; charset="UTF8"',
    'application/json; charset=us-ascii',
    'application/json; odd=1',
  ]) {
    test(type, async () => assert.equal((await post(CREATE, { 'Content-Type': type })).status, 200));
  }
  for (const type of ['application/grpc;charset=utf-8', 'application/grpc+proto; charset="utf-8"']) {
    test(type, async () => assert.equal((await grpc(CREATE, { 'content-type': type }))['grpc-status'], '0'));
  }
  test('but not JSON in another charset', async () => {
    assert.equal((await post(CREATE, { 'Content-Type': 'application/json; charset=latin1' })).status, 415);
  });
});

suite('a deadline longer than the longest timer means no deadline', () => {
  const warnings: string[] = [];
  const note = ({ name }: Error): void => {
    warnings.push(name);
  };
  before(() => process.on('warning', note));
  after(() => process.off('warning', note));

  for (const timeout of ['600H', '8760H', '99999999H', '31536000S']) {
    test(`grpc-timeout: ${timeout}`, async () => {
      assert.equal((await grpc(CREATE, { 'grpc-timeout': timeout }))['grpc-status'], '0');
    });
  }
  test('connect-timeout-ms', async () => {
    const headers = { 'Content-Type': 'application/json', 'Connect-Timeout-Ms': '9999999999' };
    assert.equal((await post(CREATE, headers)).status, 200);
  });
  test('an invalid deadline is rejected', async () => {
    assert.equal((await grpc(CREATE, { 'grpc-timeout': '1Y' }))['grpc-status'], '3');
  });
  test('Node.js prints no warning', async () => {
    await new Promise(setImmediate);
    assert.deepEqual(
      warnings.filter((name) => name === 'TimeoutOverflowWarning'),
      [],
    );
  });
});

suite('an extra slash before the path of an RPC', () => {
  test('is ignored', async () => {
    assert.equal((await post(`/${CREATE}`, { 'Content-Type': 'application/json' })).status, 200);
    assert.equal((await grpc(`//${CREATE}`, {}))['grpc-status'], '0');
  });
});

suite('grpc-message escapes only what it must', () => {
  test('for any text', () => {
    assert.equal(encodeGrpcMessage('http://a:1/?b=c&d, "e" (f)'), 'http://a:1/?b=c&d, "e" (f)');
    assert.equal(encodeGrpcMessage('100 % ü\n😈 '), '100 %25 %C3%BC%0A%F0%9F%98%88%20');
  });
  for (const [name, headers] of [
    ['a typical call', {}],
    ["Connect's own path", { 'grpc-timeout': '1S', 'grpc-accept-encoding': 'gzip', 'grpc-encoding': 'gzip' }],
  ] as const) {
    test(name, async () => {
      const { 'grpc-message': message, 'grpc-status': status } = await grpc(
        CREATE,
        headers,
        envelope(0, 0, Buffer.alloc(0)),
      );
      assert.equal(status, '3');
      assert.ok(message?.includes(' ') && !message.includes('%20'), String(message));
    });
  }
  test('gRPC-Web', async () => {
    const { text } = await post(
      CREATE,
      { 'Content-Type': 'application/grpc-web+proto' },
      envelope(0, 0, Buffer.alloc(0)),
    );
    assert.match(text, /grpc-message: ?\S+ \S+/);
  });
  test('an unknown method', async () => {
    const { 'grpc-message': message } = await grpc(`${RPC}/Nothing`, {});
    assert.ok(message?.includes(' '));
  });
});

suite('a message that is too large gets an error with the limit, phrased for clients', () => {
  for (const type of ['application/json', 'application/proto']) {
    test(type, async () => {
      const { status, text } = await post(CREATE, { 'Content-Type': type }, LARGE);
      assert.equal(status, 429);
      assert.match(text, LIMIT);
      assert.doesNotMatch(text, /readMaxBytes/);
    });
  }
  const large = envelope(0, LARGE.length, LARGE);
  for (const [path, type] of [
    [`${RPC}/WatchMembers`, 'application/connect+json'],
    [CREATE, 'application/grpc-web+proto'],
    [`${RPC}/WatchMembers`, 'application/grpc-web+proto'],
  ] as const) {
    test(`${type} ${path}`, async () => {
      const { text } = await post(path, { 'Content-Type': type }, large);
      assert.match(text, LIMIT);
      assert.doesNotMatch(text, /readMaxBytes/);
    });
  }
  for (const path of [CREATE, `${RPC}/WatchMembers`, '/etcdserverpb.KV/Range', '/etcdserverpb.Watch/Watch']) {
    test(`gRPC ${path}`, async () => {
      const { 'grpc-status': status, 'grpc-message': message = '' } = await grpc(path, {}, large);
      assert.equal(status, '8');
      assert.match(String(message), LIMIT);
    });
  }
});

suite('an error about an unsupported encoding lists the supported ones', () => {
  test('Connect', async () => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'br' };
    const answer = await post(CREATE, headers);
    assert.equal(answer.status, 501);
    assert.equal(answer.headers.get('accept-encoding'), 'gzip');
    assert.match(answer.text, /gzip/);
  });
  test('a Connect stream', async () => {
    const headers = { 'Content-Type': 'application/connect+json', 'Connect-Content-Encoding': 'br' };
    const answer = await post(`${RPC}/WatchMembers`, headers, envelope(0, 2, Buffer.from('{}')));
    assert.equal(answer.headers.get('connect-accept-encoding'), 'gzip');
    assert.match(answer.text, /gzip/);
  });
  test('gRPC', async () => {
    const answer = await grpc(CREATE, { 'grpc-encoding': 'br' });
    assert.equal(answer['grpc-status'], '12');
    assert.equal(answer['grpc-accept-encoding'], 'gzip');
    assert.match(String(answer['grpc-message']), /gzip/);
  });
});

suite('an error says what to do instead', () => {
  test('a disallowed method: the allowed ones', async () => {
    const put = await fetch(`${service.url}${CREATE}`, { method: 'PUT' });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'POST']);
    const remove = await fetch(`${service.url}${RPC}/ListMembers`, { method: 'DELETE' });
    assert.deepEqual([remove.status, remove.headers.get('allow')], [405, 'GET, POST']);
    for (const path of ['/new', '/a/1', '/livez', '/_page/new', '/']) {
      const response = await fetch(service.url + path, { method: 'PATCH' });
      assert.equal(response.status, 405, path);
      assert.ok((response.headers.get('allow') ?? '').includes('GET'), path);
    }
  });
  test('gRPC-Web in text: how to generate a binary client', async () => {
    const { status, text } = await post(CREATE, { 'Content-Type': 'application/grpc-web-text' });
    assert.equal(status, 415);
    assert.match(text, /mode=grpcweb\b/);
  });
  test("another version of Connect's protocol: the supported one", async () => {
    const { status, text } = await get(`${RPC}/ListMembers?connect=v2&encoding=json&message=%7B%7D`);
    assert.equal(status, 400);
    assert.match(text, /connect=v1/);
    const headers = { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '2' };
    assert.equal((await post(CREATE, headers)).status, 400);
    assert.equal((await post(CREATE, { ...headers, 'Connect-Protocol-Version': '1' })).status, 200);
  });
  for (const [name, query] of [
    ['half of a JSON object', 'encoding=json&message=%7B'],
    ['no message', 'encoding=json'],
    ['invalid base64', 'encoding=proto&base64=1&message=*'],
    ['invalid protobuf', 'encoding=proto&base64=1&message=____'],
    ['an unknown field', 'encoding=json&message=%7B%22x%22%3A1%7D'],
  ] as const) {
    test(`a query whose message is invalid: the parameter, ${name}`, async () => {
      const { status, text } = await get(`${RPC}/ListMembers?${query}`);
      assert.equal(status, 400);
      assert.match(text, /query parameter \\"message\\"/);
      assert.equal((JSON.parse(text) as { code: string }).code, 'invalid_argument');
    });
  }
  test('a query without an encoding: that parameter', async () => {
    const { status, text } = await get(`${RPC}/ListMembers?message=%7B%7D`);
    assert.equal(status, 415);
    assert.match(text, /encoding=json/);
  });
  test('a valid query reaches the service', async () => {
    const { status, text } = await get(
      `${RPC}/ListMembers?connect=v1&encoding=json&message=%7B%22token%22%3A%22nothing%22%7D`,
    );
    assert.equal(status, 404);
    assert.doesNotMatch(text, /query parameter/);
  });
});
