import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { slow } from '../../slow.ts';
import { run } from '../../support/child.ts';
import { retryIfStalled } from '../../support/retry-if-stalled.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, token } from '../support/commands.ts';
import { lmdbPlace } from '../support/place.ts';
import { StoreProcess } from '../support/process.ts';

const IN_USE = /^another process is using the data directory \S+; stop it first, or use another directory/;

const places: Array<ReturnType<typeof lmdbPlace>> = [];
const processes: StoreProcess[] = [];

afterEach(async () => {
  for (const each of processes.splice(0)) await each.kill();
  for (const place of places.splice(0)) place.destroy();
});

function newPlace(): ReturnType<typeof lmdbPlace> {
  const place = lmdbPlace();
  places.push(place);
  return place;
}

function start(...args: ConstructorParameters<typeof StoreProcess>): StoreProcess {
  const started = new StoreProcess(...args);
  processes.push(started);
  return started;
}

function sockets(path: string): string[] {
  return readdirSync(path).filter((name) => name.endsWith('.sock'));
}

// A process that does not answer within a second counts as the owner, so after a pause of the machine there may be no
// winner.
const race = (name: string, body: () => Promise<void>): void => {
  test(name, () => retryIfStalled(800, body));
};

test('a second store in the same process is rejected, and the first keeps working', async () => {
  const place = newPlace();
  const store = await place.open(DEFAULT_POLICY);
  const error = await expectRefusal('STORE_UNAVAILABLE', place.open(DEFAULT_POLICY));
  assert.match(error.message, IN_USE);
  const t = token();
  await new Discovery(store, DEFAULT_POLICY).createToken(create(t));
  assert.equal((await store.read(t)).cluster?.token, t);
  assert.equal(sockets(place.path).length, 1);
  await store.close();
  assert.deepEqual(readdirSync(place.path).sort(), ['data.mdb', 'lock.mdb']);
  await (await place.open(DEFAULT_POLICY)).close();
});

test('a second process is rejected with one line and exit code 1 until the first has ended', async () => {
  const place = newPlace();
  const first = await start([place.path, 'hold']).opened();
  const second = start([place.path, 'hold']);
  assert.equal((await second.ended).code, 1);
  assert.match(second.stderr, new RegExp(IN_USE.source.replace('^', '^STORE_UNAVAILABLE: ')));
  const command = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', place.path]);
  assert.equal(command.code, 1);
  assert.match(command.stderr, new RegExp(IN_USE.source.replace('^', '^etcd-discovery: ')));
  assert.equal(command.stderr.split('\n').length, 2, 'one line');
  first.child.stdin?.end();
  assert.equal((await first.ended).code, 0);
  assert.deepEqual(sockets(place.path), []);
  await start([place.path, 'hold']).opened();
});

test('a killed owner does not block or delay the next one', async () => {
  const place = newPlace();
  for (let i = 0; i < (slow ? 5 : 2); i++) {
    const owner = await start([place.path, 'hold']).opened();
    await owner.kill();
    assert.equal(sockets(place.path).length, 1, 'the socket that the killed owner left');
  }
  const store = await place.open(DEFAULT_POLICY);
  assert.equal(sockets(place.path).length, 1, 'its own socket');
  await store.close();
  assert.deepEqual(sockets(place.path), []);
});

race(
  'exactly one of many processes that start at once wins, with or without a dead owner before them',
  async () => {
    const place = newPlace();
    for (let round = 0; round < (slow ? 4 : 2); round++) {
      const all = Array.from({ length: slow ? 6 : 3 }, () => start([place.path, 'hold']));
      const results = await Promise.allSettled(all.map((each) => each.opened()));
      const winners = all.filter((_, i) => results[i]?.status === 'fulfilled');
      assert.equal(winners.length, 1, results.map((each) => each.status).join());
      for (const loser of all.filter((each) => !winners.includes(each))) {
        assert.equal((await loser.ended).code, 1);
        assert.match(loser.stderr, /^STORE_UNAVAILABLE: another process is using the data directory/);
      }
      await winners[0]?.kill();
    }
  },
);

race('exactly one of many stores at the same step of opening wins', async () => {
  const place = newPlace();
  for (let round = 0; round < (slow ? 20 : 5); round++) {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => place.open(DEFAULT_POLICY)));
    const stores = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    assert.equal(stores.length, 1);
    for (const each of results) {
      if (each.status === 'rejected') assert.match((each.reason as Error).message, IN_USE);
    }
    assert.equal(sockets(place.path).length, 1, 'the losers removed their sockets');
    const t = token();
    const [store] = stores;
    if (store !== undefined) await new Discovery(store, DEFAULT_POLICY).createToken(create(t));
    await store?.close();
  }
});

test('a stopped owner remains the owner, and the second process does not hang', async () => {
  const place = newPlace();
  const owner = await start([place.path, 'write', '1000000']).opened();
  owner.child.kill('SIGSTOP');
  const second = start([place.path, 'hold']);
  assert.equal((await second.ended).code, 1);
  assert.match(second.stderr, /another process is using/);
});

test('process ids do not matter: in containers every process is number 1', async (t) => {
  const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
  const able = spawnSync(unshare[0] as string, [...unshare.slice(1), 'true']);
  if (able.status !== 0) {
    const why = 'PID namespaces cannot be created here (needs unshare and root)';
    console.log(`skipped: ${why}`);
    t.skip(why);
    return;
  }
  const place = newPlace();
  const around = { command: unshare };
  const first = await start([place.path, 'hold'], around).opened();
  const second = start([place.path, 'hold'], around);
  assert.equal((await second.ended).code, 1);
  assert.match(second.stderr, /another process is using/);
  await first.kill();
  await start([place.path, 'hold'], around).opened();
});

test('the socket does not keep the process alive, and its connections are closed', async () => {
  const place = newPlace();
  const leaving = start([place.path, 'leave']);
  assert.deepEqual(await leaving.ended, { code: 0, signal: null });
  const store = await place.open(DEFAULT_POLICY);
  const [name = ''] = sockets(place.path);
  const visitor = connect(join(place.path, name));
  visitor.resume();
  await once(visitor, 'close');
  await store.close();
  assert.equal(existsSync(join(place.path, name)), false);
});
