import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { forEachEtcd } from '../store/support/etcd.ts';
import { BoundedService } from './support/bounded.ts';
import { fillService } from './support/filling.ts';

const MiB = 1024 * 1024;
const QUOTA_BYTES = 20 * MiB;

await forEachEtcd((label, etcd) => {
  test(`clients without limits fill ${label} up to the bound of the service, not up to its quota`, async (t) => {
    const scene = await Scene.open(t);
    const flags = { 'quota-backend-bytes': String(QUOTA_BYTES) };
    const backing = await BackingEtcd.start(scene, { etcd, members: 1, flags });
    const [member] = backing.members;
    assert.ok(member !== undefined);
    const service = await BoundedService.start(['--etcd', member.clientUrl, '--etcd-max-bytes', '8MiB']);
    t.after(() => service.remove());
    await fillService(service.url);
    const { dbSize } = (await member.call('maintenance/status', {})) as { readonly dbSize: string };
    assert.ok(Number(dbSize) > 6 * MiB && Number(dbSize) < QUOTA_BYTES * 0.75, `${Number(dbSize) / MiB} MiB`);
    const { alarms = [] } = (await member.call('maintenance/alarm', { action: 'GET' })) as {
      alarms?: unknown[];
    };
    assert.deepEqual(alarms, []);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    const [, counted] = /^discovery_store_bytes (\S+)$/m.exec(metrics) ?? [];
    assert.ok(Number(counted) > 8 * MiB && Number(counted) <= 10.5 * MiB, counted);
    const ready = await (await fetch(`${service.url}/readyz`)).text();
    assert.match(ready, /new tokens are rejected|it rejects changes at/);
  });
});
