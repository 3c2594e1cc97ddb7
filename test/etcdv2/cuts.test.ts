import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { RegisterMode, WhenFull } from '../../gen/discovery/v1/service_pb.ts';
import { open, send, v2 } from './http.ts';
import { type Stack, startStack } from './stack.ts';

const WAIT = '/t?recursive=true&wait=true';

/** Creates a token for three nodes, at revision 1, and registers two of them. */
async function start(t: TestContext, size = 3): Promise<Stack> {
  const stack = await startStack();
  t.after(() => stack.close());
  await stack.client.createToken({ token: 't', size });
  for (const i of [1, 2]) await join(stack, i);
  return stack;
}

function join({ client }: Stack, i: number): Promise<unknown> {
  const peerUrls = [`http://10.0.0.${i}:2380`];
  return client.register({
    token: 't',
    memberId: `${i}`,
    name: `infra${i}`,
    peerUrls,
    whenFull: WhenFull.STANDBY,
  });
}

const CUTS: Readonly<Record<string, (stack: Stack) => Promise<unknown>>> = {
  'has gone': ({ client }) => client.deregister({ token: 't', memberId: '2' }),
  'was changed': ({ client }) =>
    client.register({
      token: 't',
      memberId: '2',
      name: 'other',
      peerUrls: ['http://10.0.0.9:2380'],
      mode: RegisterMode.REPLACE,
    }),
};

suite('a node that has counted a member', () => {
  for (const [what, cut] of Object.entries(CUTS)) {
    test(`that ${what} loses its open wait, and can wait again only from a new list`, async (t) => {
      const stack = await start(t);
      const waiting = await open(stack.url, 'GET', `${WAIT}&waitIndex=4`);
      assert.equal(waiting.status, 200);
      await cut(stack);
      await assert.rejects(waiting.body);
      await join(stack, 3);
      // From before the disconnection, whatever has happened since.
      for (const index of [3, 4]) {
        const again = await send(stack.url, 'GET', `${WAIT}&waitIndex=${index}`);
        assert.equal(again.status, 503);
        assert.equal(v2(again).message, 'Members have changed');
      }
      const fresh = await send(stack.url, 'GET', `${WAIT}&waitIndex=5`);
      assert.equal(v2(fresh).node?.modifiedIndex, 5);
      assert.deepEqual(stack.defects, []);
    });
  }

  test('gets the same error when it returns after the last registration', async (t) => {
    const stack = await start(t);
    await CUTS['has gone']?.(stack);
    for (const i of [3, 4]) await join(stack, i);
    assert.equal((await send(stack.url, 'GET', `${WAIT}&waitIndex=4`)).status, 503);
  });

  test('keeps waiting for itself, because an error would end it, and when a standby leaves', async (t) => {
    const stack = await start(t);
    const own = await open(stack.url, 'GET', '/t/3?wait=true&waitIndex=4');
    await CUTS['has gone']?.(stack);
    const mine = await send(stack.url, 'GET', '/t/1?recursive=false&wait=true&waitIndex=2');
    assert.equal(v2(mine).node?.createdIndex, 2);
    await join(stack, 3);
    assert.equal(v2({ body: await own.body }).node?.createdIndex, 5);

    const full = await start(t, 2);
    await join(full, 3);
    const waiting = await open(full.url, 'GET', `${WAIT}&waitIndex=5`);
    await full.client.deregister({ token: 't', memberId: '3' });
    await join(full, 4);
    assert.equal(v2({ body: await waiting.body }).node?.createdIndex, 6);
  });
});
