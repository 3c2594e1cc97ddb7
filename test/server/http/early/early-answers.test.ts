import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { issueCredential } from '../../../../src/server/clients/auth-file.ts';
import type { Config } from '../../../../src/settings/config.ts';
import { parseCidrs } from '../../../../src/values/ip.ts';
import { defaultConfig, type RunningService, startService } from '../../../support/service.ts';
import { EARLY_ROWS, type EarlyRow, REFUSED_ROWS, UNKNOWN_ROWS } from './rows.ts';
import { DELIVERIES, sendTwo } from './send.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

for (const [surface, rows] of Object.entries(EARLY_ROWS)) {
  suite(`after an early response, the connection serves the next request or closes: ${surface}`, () => {
    for (const row of rows) {
      for (const delivery of DELIVERIES) {
        test(`${row.name}, ${delivery}`, async () => {
          const { status, body } = await sendTwo(service.port, row, delivery);
          assert.equal(status, row.status, body);
        });
      }
    }
  });
}

const folder = mkdtempSync(join(tmpdir(), 'early-answers-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'callers');
writeFileSync(file, issueCredential('ada').line);
const { limits } = defaultConfig();
const one = { burst: 1, interval: 3_600_000 };
const LIMITED = {
  trustedProxies: parseCidrs('127.0.0.0/8'),
  limits: { ...limits, perClient: { ...limits.perClient, requests: one } },
};

const REFUSING: ReadonlyArray<readonly [who: string, config: Partial<Config>, rows: readonly EarlyRow[]]> = [
  ['a client above its limit', LIMITED, REFUSED_ROWS],
  ['an unknown caller', { auth: { mode: 'all', file } }, UNKNOWN_ROWS],
];

for (const [who, config, rows] of REFUSING) {
  suite(`after ${who} is rejected, the connection serves the next request or closes`, () => {
    let refusing: RunningService;
    before(async () => {
      refusing = await startService({}, config);
      await fetch(`${refusing.url}/version`, { headers: { 'X-Forwarded-For': '198.51.100.2' } });
    });
    after(() => refusing.stop());
    for (const row of rows) {
      for (const delivery of DELIVERIES) {
        test(`${row.name}, ${delivery}`, async () => {
          const { status, body } = await sendTwo(refusing.port, row, delivery);
          assert.equal(status, row.status, body);
        });
      }
    }
  });
}
