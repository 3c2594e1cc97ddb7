import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Asker } from '../../src/etcdv3/asker.ts';
import { Pace } from '../../src/etcdv3/pace.ts';
import { NO_WORK } from '../../src/work.ts';
import { waitFor } from '../support/wait.ts';

// The tested code does not keep the process alive.
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

suite('the messages of a stream', () => {
  test('each count as a request, except the first, which counts with the stream', async () => {
    let taken = 0;
    const pace = new Pace(
      {
        ...NO_WORK,
        turn: () => {
          taken += 1;
          return 0;
        },
      },
      () => false,
    );
    for (let message = 0; message < 100; message += 1) await pace.next();
    assert.equal(taken, 99);
  });

  test('wait for their turn, but not beyond the end of the stream', async () => {
    const waits = [5, 5, 0];
    const pace = new Pace({ ...NO_WORK, turn: () => waits.shift() ?? 1 }, () => waits.length === 0);
    await pace.next();
    await pace.next();
    assert.deepEqual(waits, []);
    // Otherwise it would never get its turn.
    await pace.next();
  });

  test('let others take their turn, however many arrive at once', async () => {
    const pace = new Pace(NO_WORK, () => false);
    let isTurn = false;
    setImmediate(() => {
      isTurn = true;
    });
    for (let message = 0; message < 100; message += 1) await pace.next();
    assert.ok(isTurn);
  });
});

suite('a progress request for many watches', () => {
  test('starts at once, and later ones are merged', async () => {
    let asked = 0;
    const asker = new Asker(
      async () => {
        asked += 1;
      },
      (thrown) => assert.fail(thrown),
    );
    await asker.ask(100);
    assert.equal(asked, 1);
    for (let i = 0; i < 1000; i += 1) await asker.ask(100);
    assert.equal(asked, 1);
    await asker.settled();
    assert.equal(asked, 2);
    await asker.settled();
    assert.equal(asked, 2);
  });

  test('for few watches starts every time', async () => {
    let asked = 0;
    const asker = new Asker(
      async () => {
        asked += 1;
      },
      (thrown) => assert.fail(thrown),
    );
    for (let i = 0; i < 100; i += 1) await asker.ask(1);
    assert.equal(asked, 100);
  });

  test('reports a later failure', async () => {
    const failures: string[] = [];
    let asked = 0;
    const asker = new Asker(
      async () => {
        asked += 1;
        if (asked === 2) throw new Error('away');
      },
      ({ message }) => failures.push(message),
    );
    await asker.ask(20);
    await asker.ask(20);
    await waitFor('the failure', () => failures.length > 0);
    assert.deepEqual(failures, ['away']);
    await turn();
    await asker.ask(20);
  });
});
