import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { waitFor } from '../support/wait.ts';
import { send, v2, value } from './http.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

async function start(t: TestContext, options: StackOptions = {}): Promise<Stack> {
  const stack = await startStack(options);
  t.after(() => stack.close());
  return stack;
}

async function withToken(t: TestContext, options: StackOptions = {}): Promise<Stack> {
  const stack = await start(t, options);
  await stack.client.createToken({ token: 't', size: 3 });
  return stack;
}

suite('/new', () => {
  for (const method of ['GET', 'PUT', 'POST']) {
    test(`${method} returns the bare URL of a new token`, async (t) => {
      const stack = await start(t);
      const answer = await send(stack.url, method, '/new?size=5');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.body, new RegExp(`^${stack.url}/[0-9a-f]{32}$`));
      const size = await send(stack.url, 'GET', `${new URL(answer.body).pathname}/_config/size`);
      assert.equal(v2(size).node?.value, '5');
    });
  }

  test('creates a cluster of three by default, and accepts a size from a form', async (t) => {
    const stack = await start(t);
    const sizes = [];
    for (const answer of [
      await send(stack.url, 'GET', '/new'),
      await send(stack.url, 'POST', '/new', { body: 'size=4' }),
    ]) {
      const { cluster } = await stack.client.getCluster({ token: answer.body.split('/').at(-1) ?? '' });
      sizes.push(cluster?.size);
    }
    assert.deepEqual(sizes, [3, 4]);
  });

  for (const size of ['0', '-1', '1001', '3.5', 'three', '', '%00', '1e2', '99999999999999999999']) {
    test(`rejects the size '${size}', and creates nothing`, async (t) => {
      const stack = await start(t);
      const answer = await send(stack.url, 'GET', `/new?size=${size}`);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.body, /^[^{].*(size|percent-encoded).*\n$/);
      assert.equal((await stack.client.createToken({ size: 1 })).revision, 1n);
    });
  }

  for (const [type, body, size] of [
    ['application/json', '{"size":5}', 5],
    ['application/x-www-form-urlencoded', '{"size":5}', 5],
    ['application/json', '', 3],
  ] as const) {
    test(`accepts '${body}' as ${type}`, async (t) => {
      const stack = await start(t);
      const headers = { 'content-type': type, 'content-length': String(body.length) };
      for (const method of ['GET', 'PUT', 'POST']) {
        const answer = await send(stack.url, method, '/new', { body, headers });
        const { cluster } = await stack.client.getCluster({ token: answer.body.split('/').at(-1) ?? '' });
        assert.equal(cluster?.size, size, method);
      }
    });
  }

  for (const [type, body] of [
    ['application/x-www-form-urlencoded', 'value=5'],
    ['application/json', '{"size":'],
    ['text/plain', 'five'],
  ] as const) {
    test(`rejects '${body}' as ${type}, and creates nothing`, async (t) => {
      const stack = await start(t);
      const headers = { 'content-type': type, 'content-length': String(body.length) };
      for (const method of ['GET', 'PUT', 'POST']) {
        const answer = await send(stack.url, method, '/new', { body, headers });
        assert.equal(answer.status, 400);
        assert.ok(answer.body.includes(`'${body}'`) && answer.body.includes('/new?size=3'), answer.body);
      }
      assert.equal((await stack.client.createToken({ size: 1 })).revision, 1n);
    });
  }

  test('HEAD creates nothing', async (t) => {
    const stack = await start(t);
    const answer = await send(stack.url, 'HEAD', '/new');
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, 'GET,PUT,POST');
    assert.equal((await stack.client.createToken({ size: 1 })).revision, 1n);
  });

  test('returns the public URL if one is configured', async (t) => {
    const stack = await start(t, { urlFor: () => 'https://disc.example' });
    const { body } = await send(stack.url, 'GET', '/new');
    assert.match(body, /^https:\/\/disc\.example\/[0-9a-f]{32}$/);
  });

  test('returns the host that the request names', async (t) => {
    const stack = await start(t);
    for (const host of ['disc.example', 'disc.example:80', '[::1]:8087', '10.0.0.1']) {
      const { body } = await send(stack.url, 'GET', '/new', { headers: { host } });
      assert.ok(body.startsWith(`http://${host}/`), body);
    }
  });
});

suite('every response', () => {
  const CORS = {
    'access-control-allow-headers': 'accept, content-type, authorization',
    'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE',
    'access-control-allow-origin': '*',
  };

  for (const [method, path, status] of [
    ['GET', '/new', 200],
    ['GET', '/t', 200],
    ['HEAD', '/t/_config/size', 200],
    ['GET', '/version', 200],
    ['GET', '/none', 404],
    ['GET', '//t', 301],
    ['PATCH', '/t', 405],
    ['OPTIONS', '/t', 200],
    ['OPTIONS', '/v2/keys/_etcd/registry/t/a', 200],
    ['OPTIONS', '/new', 200],
    ['OPTIONS', '*', 200],
  ] as const) {
    test(`to ${method} ${path} allows other origins`, async (t) => {
      const stack = await withToken(t);
      const answer = await send(stack.url, method, path);
      assert.equal(answer.status, status);
      for (const [name, text] of Object.entries(CORS)) assert.equal(answer.headers[name], text, name);
      if (method === 'OPTIONS' || method === 'HEAD') assert.equal(answer.body, '');
    });
  }

  test('to HEAD has the same headers as to GET', async (t) => {
    const stack = await withToken(t);
    for (const path of ['/t', '/t/_config/size', '/t/_config', '/t/none', '/none', '/version']) {
      const get = await send(stack.url, 'GET', path);
      const head = await send(stack.url, 'HEAD', path);
      assert.equal(head.body, '');
      assert.deepEqual(
        { ...head.headers, date: '' },
        { ...get.headers, date: '' },
        `${path} has ${get.body.length} bytes`,
      );
      assert.equal(head.status, get.status);
    }
  });

  test('to /version names the etcd of this dialect, and the service', async (t) => {
    const stack = await start(t, { version: '1.2.3' });
    const { body } = await send(stack.url, 'GET', '/version');
    assert.deepEqual(JSON.parse(body), {
      etcdserver: '3.5.0',
      etcdcluster: '3.5.0',
      'etcd-discovery': '1.2.3',
    });
  });
});

suite('members', () => {
  test('are listed by rank with standbys last, and sorted by key on request', async (t) => {
    const stack = await start(t);
    await stack.client.createToken({ token: 't', size: 1 });
    for (const id of ['c', 'a', 'b']) {
      const { status } = await send(
        stack.url,
        'PUT',
        `/t/${id}?prevExist=false`,
        value(`${id}=http://${id}:2380`),
      );
      assert.equal(status, 201);
    }
    const keys = async (path: string): Promise<string[] | undefined> =>
      v2(await send(stack.url, 'GET', path)).node?.nodes?.map(({ key }) => key.at(-1) ?? '');
    assert.deepEqual(await keys('/t'), ['c', 'a', 'b']);
    assert.deepEqual(await keys('/t?sorted=true'), ['a', 'b', 'c']);
    assert.equal(
      v2(await send(stack.url, 'GET', '/t/b')).node?.value,
      'b=http://b:2380',
      'a standby is listed',
    );
  });

  test('register with a value in the query, a percent-encoded key, or a chunked form', async (t) => {
    const stack = await withToken(t);
    const chunked = { headers: { 'transfer-encoding': 'chunked' } };
    const answers = [
      await send(stack.url, 'PUT', '/t/a?prevExist=false&value=a=http://a:1'),
      await send(stack.url, 'PUT', '/%74/%62?prevExist=false', value('b=http://b:1')),
      await send(stack.url, 'PUT', '/t/c?prevExist=false', { ...value('c=http://c:1'), ...chunked }),
    ];
    assert.deepEqual(
      answers.map((answer) => [answer.status, v2(answer).node?.key, v2(answer).node?.value]),
      ['a', 'b', 'c'].map((id) => [201, `/_etcd/registry/t/${id}`, `${id}=http://${id}:1`]),
    );
  });

  test('change only if the condition holds', async (t) => {
    const stack = await withToken(t);
    const put = async (query: string, url: string): Promise<unknown[]> => {
      const answer = await send(stack.url, 'PUT', `/t/a${query}`, value(`a=${url}`));
      const { action, errorCode, cause, node, prevNode } = v2(answer);
      return [answer.status, action ?? errorCode, node?.modifiedIndex ?? cause, prevNode?.value];
    };
    assert.deepEqual(await put('', 'http://a:1'), [201, 'set', 2, undefined]);
    assert.deepEqual(await put('', 'http://a:1'), [200, 'set', 2, 'a=http://a:1'], 'no change');
    assert.deepEqual(await put('', 'http://a:2'), [200, 'set', 3, 'a=http://a:1']);
    assert.deepEqual(await put('?prevExist=true', 'http://a:3'), [200, 'update', 4, 'a=http://a:2']);
    assert.deepEqual(await put('?prevIndex=3', 'http://a:4'), [412, 101, '[3 != 4]', undefined]);
    assert.deepEqual(await put('?prevIndex=4', 'http://a:4'), [200, 'compareAndSwap', 5, 'a=http://a:3']);
    assert.deepEqual(await put('?prevIndex=4', 'http://a:4'), [412, 101, '[4 != 5]', undefined]);
    const old = encodeURIComponent('a=http://a:4');
    assert.deepEqual(await put(`?prevValue=${old}`, 'http://a:5'), [
      200,
      'compareAndSwap',
      6,
      'a=http://a:4',
    ]);
    assert.deepEqual(await put(`?prevValue=${old}&prevIndex=9`, 'http://a:6'), [
      412,
      101,
      '[a=http://a:4 != a=http://a:5] [9 != 6]',
      undefined,
    ]);
    const missing = await send(stack.url, 'PUT', '/t/b?prevValue=x', value('b=http://b:1'));
    assert.deepEqual([missing.status, v2(missing).errorCode], [404, 100]);
  });
});

suite('tokens', () => {
  test('can be chosen, and are created once, by writing the size', async (t) => {
    const stack = await start(t);
    const put = async (query: string, size: string): Promise<unknown[]> => {
      const answer = await send(stack.url, 'PUT', `/mine/_config/size${query}`, { body: `value=${size}` });
      const { action, errorCode, node } = v2(answer);
      return [answer.status, action ?? errorCode, node?.value];
    };
    assert.deepEqual(await put('?prevExist=false', '3'), [201, 'create', '3']);
    assert.deepEqual(await put('', '3'), [200, 'set', '3']);
    assert.deepEqual(await put('?prevExist=false', '3'), [412, 105, undefined]);
    assert.deepEqual(await put('', '4'), [412, 105, undefined]);
  });

  test('cannot be deleted as empty directories', async (t) => {
    const stack = await withToken(t);
    const answer = await send(stack.url, 'DELETE', '/t?dir=true');
    assert.deepEqual([answer.status, v2(answer).errorCode], [403, 108]);
  });

  test('that do not exist do not reject a value as directories', async (t) => {
    const stack = await withToken(t);
    const answer = await send(stack.url, 'PUT', '/other', { body: 'value=x' });
    assert.deepEqual([answer.status, v2(answer).errorCode], [404, 100]);
  });
});

/** Opens a connection that sends raw bytes. */
async function dial(
  t: TestContext,
  stack: Stack,
): Promise<{ say: (text: string) => void; heard: () => string }> {
  const socket = connect(stack.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { say: (more) => socket.write(more), heard: () => text };
}

const HEAD_OF_PUT =
  'PUT /t/a HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 29\r\n\r\n';

suite('a body', () => {
  for (const [how, headers] of [
    ['of known length', {}],
    ['of unknown length', { 'transfer-encoding': 'chunked' }],
  ] as const) {
    test(`${how} that is too long is rejected, and the connection stays open`, async (t) => {
      const stack = await withToken(t);
      const body = `value=${'x'.repeat(300_000)}`;
      const answer = await send(stack.url, 'PUT', '/t/a', { body, headers });
      assert.equal(answer.status, 413);
      assert.match(v2(answer).cause ?? '', /^the body is larger than 65536 bytes/);
    });
  }

  test('that does not arrive is rejected', async (t) => {
    const stack = await withToken(t, { bodyLimitMs: 30 });
    const { say, heard } = await dial(t, stack);
    say(`${HEAD_OF_PUT}value=`);
    await waitFor('the answer', () => heard().endsWith('}\n'));
    assert.match(heard(), /^HTTP\/1\.1 408 .*Connection: close.*"timeout while reading the body/s);
  });

  test('in several packets is joined', async (t) => {
    const stack = await withToken(t);
    const { say, heard } = await dial(t, stack);
    say(`${HEAD_OF_PUT}value=n%3Dhtt`);
    await stack.client.getCluster({ token: 't' });
    say('p%3A%2F%2Fhost:1');
    await waitFor('the answer', () => heard().endsWith('}\n'));
    assert.match(heard(), /^HTTP\/1\.1 201 .*"value":"n=http:\/\/host:1"/s);
  });

  test('that is cut off changes nothing, and is not reported as a defect', async (t) => {
    const stack = await withToken(t, { bodyLimitMs: 50 });
    const socket = connect(stack.port, '127.0.0.1');
    socket.end(`${HEAD_OF_PUT}value=n%3Dhttp`);
    await once(socket.resume(), 'close');
    const reset = connect(stack.port, '127.0.0.1');
    await new Promise<void>((resolve) => {
      reset.write(`${HEAD_OF_PUT}value=n%3Dhttp`, () => resolve());
    });
    reset.resetAndDestroy();
    assert.equal((await send(stack.url, 'GET', '/t/a')).status, 404);
    assert.deepEqual(stack.defects, []);
  });

  test('of another type is rejected with an error message', async (t) => {
    const stack = await withToken(t);
    const json = { body: '{"value":"a=http://a:1"}', headers: { 'content-type': 'application/json' } };
    const answer = await send(stack.url, 'PUT', '/t/a', json);
    assert.equal(answer.status, 400);
    assert.match(v2(answer).cause ?? '', /application\/x-www-form-urlencoded/);
  });
});

suite('failures', () => {
  test('that are unexpected return a plain 500, and are reported', async (t) => {
    const stack = await start(t, {
      client: (real) => ({ ...real, listMembers: () => Promise.reject(new TypeError('secret')) }),
    });
    const answer = await send(stack.url, 'GET', '/t/_config/size');
    assert.equal(answer.status, 500);
    assert.deepEqual([v2(answer).errorCode, v2(answer).message], [300, 'Internal error']);
    assert.doesNotMatch(answer.body, /secret/);
    assert.equal(String(stack.defects), 'TypeError: secret');
  });

  test('to reach the service return a 500 with a message, so that a node retries', async (t) => {
    const stack = await start(t, {
      client: (real) => ({
        ...real,
        listMembers: () => Promise.reject(ConnectError.from(new Error('ECONNREFUSED'), Code.Unavailable)),
      }),
    });
    const answer = await send(stack.url, 'GET', '/t/_config/size');
    assert.equal(answer.status, 500);
    assert.match(v2(answer).cause ?? '', /cannot reach the discovery service; try again$/);
    assert.deepEqual(stack.defects, []);
  });

  test('of /new return text', async (t) => {
    const stack = await start(t, {
      client: (real) => ({
        ...real,
        createToken: () => Promise.reject(new ConnectError('down', Code.Unavailable)),
      }),
    });
    const answer = await send(stack.url, 'GET', '/new');
    assert.equal(answer.status, 500);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    assert.match(answer.body, /cannot reach the discovery service/);
  });
});
