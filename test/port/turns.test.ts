import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../src/port/turns.ts';

/** A connection with waiting requests, which queues again until all have begun. */
interface Line {
  readonly name: string;
  waiting: number;
}

/** Begins all requests. Returns, by turn of the event loop, the names of the lines whose requests began. */
async function beginAll(lines: readonly Line[], msEach = 0): Promise<string[][]> {
  let now = 0;
  const turns = new Turns(() => now);
  const begun: string[][] = [[]];
  for (const line of lines) {
    const begin = (): void => {
      begun.at(-1)?.push(line.name);
      now += msEach;
      line.waiting -= 1;
      if (line.waiting > 0) turns.later(begin);
    };
    turns.later(begin);
  }
  while (lines.some(({ waiting }) => waiting > 0)) {
    await new Promise((resolve) => setImmediate(resolve));
    begun.push([]);
  }
  return begun.filter((turn) => turn.length > 0);
}

test('a request waits for one of each other connection, however many those have', async () => {
  const order = (await beginAll([line('busy', 500), line('other', 500), line('quiet', 1)])).flat();
  assert.equal(order.indexOf('quiet'), 2);
  assert.equal(order.length, 1001);
});

test('many requests of one connection begin in a few turns of the event loop', async () => {
  const turns = await beginAll([line('alone', 100)]);
  assert.ok(turns.length <= 8, `100 requests took ${turns.length} turns`);
});

test('a turn of the event loop begins no more than 64 requests', async () => {
  const turns = await beginAll(Array.from({ length: 100 }, (_, i) => line(`${i}`, 100)));
  assert.ok(Math.max(...turns.map((turn) => turn.length)) <= 64);
});

test('one connection alone gets 2 ms of a turn of the event loop, and five get 10', async () => {
  const alone = await beginAll([line('alone', 100)], 0.5);
  assert.ok(Math.max(...alone.map((turn) => turn.length)) <= 5);
  const five = await beginAll(
    Array.from({ length: 5 }, (_, i) => line(`${i}`, 100)),
    0.5,
  );
  const most = Math.max(...five.map((turn) => turn.length));
  assert.ok(most > 5 && most <= 21, `${most} began in one turn`);
});

test('requests that take long begin one in a turn of the event loop, so that all else gets its turn', async () => {
  const turns = await beginAll([line('slow', 20), line('other', 20)], 10);
  assert.ok(turns.every((turn) => turn.length === 1));
});

test('short requests of many connections begin in one turn of the event loop, beyond its 10 ms', async () => {
  const most = Math.max(...(await beginShort(200, 0.2)));
  assert.ok(most >= 199, `${most} began in one turn`);
});

test('a turn of the event loop begins short requests for 50 ms, and others for 10', async () => {
  assert.ok(Math.max(...(await beginShort(200, 0.4))) <= 126);
  assert.ok(Math.max(...(await beginShort(200, 0.6))) <= 17);
  assert.ok(Math.max(...(await beginShort(10, 10))) === 1);
});

test('a turn that has begun few requests by then ends after 10 ms', () => {
  let now = 0;
  const turns = new Turns(() => now);
  for (const ms of [0, 9]) {
    now = ms;
    assert.equal(turns.hasTime(8), true);
  }
  now = 11;
  assert.equal(turns.hasTime(8), false);
});

/** Begins requests that all wait. Returns how many began in each turn of the event loop. */
async function beginShort(requests: number, msEach: number): Promise<number[]> {
  let now = 0;
  const turns = new Turns(() => now);
  const begun = [0];
  for (let waiting = requests; waiting > 0; waiting -= 1) {
    turns.shortLater(() => {
      now += msEach;
      begun[begun.length - 1] = (begun.at(-1) ?? 0) + 1;
    });
  }
  while (begun.reduce((sum, count) => sum + count) < requests) {
    await new Promise((resolve) => setImmediate(resolve));
    begun.push(0);
  }
  return begun.filter((count) => count > 0);
}

function line(name: string, waiting: number): Line {
  return { name, waiting };
}
