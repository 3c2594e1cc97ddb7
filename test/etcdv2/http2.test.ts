import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { suite, type TestContext, test } from 'node:test';
import { waitFor } from '../support/wait.ts';
import { v2 } from './http.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

interface Scene {
  readonly stack: Stack;
  readonly session: ClientHttp2Session;
}

async function start(t: TestContext, options: StackOptions = {}): Promise<Scene> {
  const stack = await startStack({ http2: true, ...options });
  const session = connect(stack.url);
  t.after(async () => {
    session.destroy();
    await stack.close();
  });
  await stack.client.createToken({ token: 't', size: 3 });
  return { stack, session };
}

interface Http2Answer {
  readonly stream: ClientHttp2Stream;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Promise<string>;
}

async function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  form?: string,
  end = true,
): Promise<Http2Answer> {
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  const stream = session.request(
    { ':method': method, ':path': path, ...type },
    { endStream: form === undefined },
  );
  if (form !== undefined) stream.write(form);
  if (form !== undefined && end) stream.end();
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  stream.on('error', () => {});
  const body = once(stream, 'close').then(() => text);
  const [headers] = (await once(stream, 'response')) as [OutgoingHttpHeaders];
  return { stream, headers, body };
}

const HELD = '/t?recursive=true&wait=true&waitIndex=2';
const registration = (i: number): string => `value=infra${i}%3Dhttp%3A%2F%2F10.0.0.${i}%3A2380`;

suite('over HTTP/2', () => {
  test('a node registers, and another that waits receives its headers at once', async (t) => {
    const { session } = await start(t);
    const waiting = await ask(session, 'GET', HELD);
    assert.equal(waiting.headers[':status'], 200);
    assert.equal(waiting.headers['x-etcd-index'], '1');
    const put = await ask(session, 'PUT', '/t/1?prevExist=false', registration(1));
    assert.equal(put.headers[':status'], 201);
    assert.deepEqual(await waiting.body, await put.body);
    const size = await ask(session, 'GET', '/v2/keys/_etcd/registry/t/_config/size');
    assert.equal(v2({ body: await size.body }).node?.value, '3');
  });

  test('/new returns the requested host', async (t) => {
    const { session, stack } = await start(t);
    const answer = await ask(session, 'GET', '/new');
    assert.match(await answer.body, new RegExp(`^${stack.url}/[0-9a-f]{32}$`));
  });

  test('HEAD, OPTIONS and rejected requests get a response', async (t) => {
    const { session } = await start(t);
    const head = await ask(session, 'HEAD', '/t');
    assert.equal(head.headers[':status'], 200);
    assert.equal(await head.body, '');
    const options = await ask(session, 'OPTIONS', '/t');
    assert.equal(options.headers['access-control-allow-origin'], '*');
    assert.equal(await options.body, '');
    const refused = await ask(session, 'PATCH', '/t', 'x');
    assert.equal(refused.headers['allow'], 'HEAD,GET,PUT,DELETE');
    assert.equal(v2({ body: await refused.body }).errorCode, 110);
  });

  test('a wait returns empty at the poll limit', async (t) => {
    const { session, stack } = await start(t, { pollLimitMs: 30 });
    const answer = await ask(session, 'GET', HELD);
    assert.equal(await answer.body, '');
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
  });

  test('a client that disconnects leaves nothing behind', async (t) => {
    const { session, stack } = await start(t);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(session, 'GET', HELD)));
    assert.equal(stack.discovery.watchers(), 1);
    const last = answers.pop() as (typeof answers)[number];
    for (const { stream } of answers) stream.close(8);
    await stack.client.register({ token: 't', memberId: '1', name: 'a', peerUrls: ['http://a:1'] });
    assert.equal(v2({ body: await last.body }).action, 'create');
    await waitFor('the watch to end', () => stack.discovery.watchers() === 0);
    await ask(session, 'GET', '/t/2?wait=true');
    assert.equal(stack.discovery.watchers(), 1);
    session.destroy();
    await waitFor('the next watch to end', () => stack.discovery.watchers() === 0);
    assert.deepEqual(stack.defects, []);
  });

  test('a body that does not arrive ends only its own stream', async (t) => {
    const { session, stack } = await start(t, { bodyLimitMs: 30 });
    const waiting = await ask(session, 'GET', HELD);
    const slow = await ask(session, 'PUT', '/t/1', 'value=', false);
    assert.equal(slow.headers[':status'], 408);
    assert.match(await slow.body, /timeout while reading the body/);
    await stack.client.register({ token: 't', memberId: '1', name: 'a', peerUrls: ['http://a:1'] });
    assert.equal(v2({ body: await waiting.body }).action, 'create');
    assert.deepEqual(stack.defects, []);
  });

  test('a body that is too long ends only its own stream', async (t) => {
    const { session, stack } = await start(t);
    const waiting = await ask(session, 'GET', HELD);
    const long = await ask(session, 'PUT', '/t/1', 'x'.repeat(70_000), false);
    assert.equal(long.headers[':status'], 413);
    assert.match(await long.body, / 65536 bytes/);
    const other = await ask(session, 'PUT', '/t/1?prevExist=false', registration(1));
    assert.equal(other.headers[':status'], 201);
    assert.deepEqual(await waiting.body, await other.body);
    assert.deepEqual(stack.defects, []);
  });

  test('a body that is cut off changes nothing', async (t) => {
    const { session, stack } = await start(t);
    const form = { ':method': 'PUT', ':path': '/t/1', 'content-type': 'application/x-www-form-urlencoded' };
    const stream = session.request(form);
    stream.on('error', () => {});
    await new Promise<void>((resolve) => {
      stream.write('value=infra1', () => resolve());
    });
    stream.close(8);
    const { members } = await stack.client.listMembers({ token: 't' });
    assert.deepEqual(members, []);
    assert.equal((await ask(session, 'GET', '/t')).headers[':status'], 200);
    assert.deepEqual(stack.defects, []);
  });
});
