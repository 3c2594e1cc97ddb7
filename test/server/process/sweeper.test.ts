import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { startSweeper } from '../../../src/server/sweeper.ts';
import type { Log } from '../../../src/server/telemetry/log.ts';
import { waitFor } from '../../support/wait.ts';

test('a sweep that fails is logged once for each outage, and one that meets a bug each time', async (t) => {
  const away = (): never => {
    throw new DiscoveryError('STORE_UNAVAILABLE', 'etcd is away');
  };
  const bug = (): never => {
    throw new TypeError('a bug');
  };
  const sweeps = [away, away, away, () => 0, away, bug, bug, away];
  const lines: string[] = [];
  const log = {
    warn: (line: string) => lines.push(line),
    error: ({ err }: { err: Error }) => lines.push(err.message),
  } as unknown as Log;
  const discovery = { sweep: async () => sweeps.shift()?.() ?? 0 } as unknown as Discovery;
  let swept = 0;
  const stop = startSweeper(discovery, 1, { log, metrics: { swept: () => void (swept += 1) } });
  t.after(stop);
  await waitFor('the sweeps', () => swept >= 9);
  const text = 'tokens that ended long ago could not be removed; the next try is later: etcd is away';
  assert.deepEqual(lines, [text, text, 'a bug', 'a bug']);
});
