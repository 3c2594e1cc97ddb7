import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cluster, millis } from '../../../src/discovery/types.ts';
import { watchExpiries } from '../../../src/server/expiries.ts';
import { waitFor } from '../../support/wait.ts';

test('each period is requested once, and again after a failure or a clock that went back', async (t) => {
  const times = [100, 200, 150, 300, 400];
  const asked: string[] = [];
  const reported: string[] = [];
  const discovery = {
    now: () => millis(times.shift() ?? 400),
    async expired(from: number, until: number) {
      asked.push(`${from} to ${until}`);
      if (asked.length === 2) throw new Error('the store is unavailable');
      return [{ token: `ended before ${until}` } as unknown as Cluster];
    },
  };
  const stop = watchExpiries(discovery, ({ token }) => reported.push(token), 1);
  t.after(stop);
  await waitFor('the requests', () => reported.length === 2);
  assert.deepEqual(asked, ['100 to 200', '200 to 300', '200 to 400']);
  assert.deepEqual(reported, ['ended before 200', 'ended before 400']);
});
