import assert from 'node:assert/strict';
import { test } from 'node:test';
import { send, v2 } from './http.ts';
import { startStack } from './stack.ts';

const T = '/v2/keys/discovery/t';

test('a token under the path of the clustering guide is created, joined and watched with that path in its keys', async (t) => {
  const stack = await startStack();
  t.after(() => stack.close());
  const ask = (method: string, path: string, body?: string) =>
    send(stack.url, method, path, body === undefined ? {} : { body });

  const made = await ask('PUT', `${T}/_config/size`, 'value=2');
  assert.deepEqual([made.status, v2(made).node?.key], [201, '/discovery/t/_config/size']);
  const list = await ask('GET', T);
  const index = Number(list.headers['x-etcd-index']);
  assert.equal(v2(list).node?.key, '/discovery/t');

  const waiting = ask('GET', `${T}?recursive=true&wait=true&waitIndex=${index + 1}`);
  const past = `${T}?recursive=true&wait=true&waitIndex=${index + 1}`;
  // A value that looks like a key is unchanged.
  const name = '"key":"/_etcd/registry/t/a"';
  const value = `${name}=http://10.0.0.1:2380`;
  const registered = await ask('PUT', `${T}/a?prevExist=false`, `value=${encodeURIComponent(value)}`);
  assert.deepEqual([registered.status, v2(registered).node?.key], [201, '/discovery/t/a']);
  for (const event of [await waiting, await ask('GET', past)]) {
    assert.deepEqual([v2(event).node?.key, v2(event).node?.value], ['/discovery/t/a', value]);
  }
  const taken = await ask('PUT', `${T}/a?prevExist=false`, 'value=a=http://10.0.0.2:2380');
  assert.deepEqual([v2(taken).errorCode, v2(taken).cause], [105, '/discovery/t/a']);

  // Both paths lead to the same token.
  assert.equal(v2(await ask('GET', '/t/a')).node?.key, '/_etcd/registry/t/a');
  assert.equal((await stack.client.listMembers({ token: 't' })).members.length, 1);
});

test("without custom tokens, the guide's first step fails with instructions to get a token", async (t) => {
  const stack = await startStack({ policy: { customTokens: false } });
  t.after(() => stack.close());
  const refused = await send(stack.url, 'PUT', `${T}/_config/size`, { body: 'value=5' });
  assert.equal(refused.status, 403);
  assert.match(v2(refused).cause ?? '', /custom tokens.*\/new\?size=5/);
});
