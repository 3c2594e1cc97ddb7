import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Env } from '../../src/settings/given.ts';
import { readConfig } from '../../src/settings/read-config.ts';
import { parseDuration } from '../../src/values/duration.ts';
import { composeServices } from '../deploy/compose.ts';
import { defaultConfig } from '../support/service.ts';

for (const file of ['deploy/compose.yaml', 'deploy/compose.embedded.yaml']) {
  test(`${file} gives the service longer to stop than it needs`, () => {
    const { discovery } = composeServices(file);
    const given = parseDuration(discovery?.stop_grace_period ?? '10s') ?? 0;
    assert.ok(given > defaultConfig().grace, `${given} ms`);
  });
}

test('the systemd unit accepts an etcd as its comment says', () => {
  const unit = readFileSync('deploy/etcd-discovery.service', 'utf8');
  const own = Object.fromEntries(
    [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  ) as Env;
  const [, etcd = ''] = /DISC_ETCD=(\S+) there, and an empty DISC_DATA_DIR=/.exec(unit) ?? [];
  assert.notEqual(etcd, '', 'the unit names the variable');
  const reading = readConfig(new Map(), { ...own, DISC_ETCD: etcd, DISC_DATA_DIR: '' });
  assert.ok(reading.type === 'CONFIG', JSON.stringify(reading));
  assert.equal(reading.config.store.type, 'ETCD');
  assert.equal(readConfig(new Map(), { ...own, DISC_ETCD: etcd }).type, 'WRONG', 'two stores are rejected');
});
