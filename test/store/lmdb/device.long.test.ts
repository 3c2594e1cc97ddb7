import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Token } from '../../../src/discovery/types.ts';
import { waitFor } from '../../support/wait.ts';
import { type Device, loopDevice } from '../support/device.ts';
import { StoreProcess } from '../support/process.ts';
import { smallDisk } from '../support/tmpfs.ts';
import { readWhole } from '../support/verify.ts';

function skip(t: TestContext, reason: string): void {
  console.log(`skipped: ${reason}`);
  t.skip(reason);
}

async function whole(path: string, child: StoreProcess): Promise<void> {
  const { clusters } = await readWhole(path);
  const acknowledged = child.lines('acknowledged').map((line) => line.split(' ')[1] as Token);
  assert.ok(acknowledged.length > 0);
  for (const each of acknowledged) assert.ok(clusters.has(each), 'what was acknowledged is there');
}

test('a device with ext4 that is filled while it is written to refuses writes, and goes on when there is room', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const device = loopDevice(directory, 24);
  if (typeof device === 'string') return skip(t, device);
  t.after(() => device.remove());
  const path = join(device.path, 'data');
  const child = new StoreProcess([path, 'write', '100000']);
  t.after(() => child.kill());
  await child.opened();
  for (let round = 1; round <= 3; round++) {
    const before = child.lines('acknowledged').length;
    await waitFor('writes', () => child.lines('acknowledged').length > before + 50);
    const refused = child.lines('refused').length;
    device.fill();
    await waitFor('a refusal', () => child.lines('refused').length > refused, 60_000);
    device.free();
  }
  const last = child.lines('acknowledged').length;
  await waitFor('writes again', () => child.lines('acknowledged').length > last + 50, 60_000);
  await child.kill();
  for (const line of child.lines('refused')) {
    assert.match(line, /the disk of the data directory is full; free some space$/);
  }
  assert.equal(child.stderr, '');
  await whole(path, child);
});

test('a device that promises more than it has loses nothing that was acknowledged', async (t) => {
  const under = smallDisk(12_000);
  if (typeof under === 'string') return skip(t, under);
  t.after(() => under.remove());
  const device: Device | string = loopDevice(under.path, 64);
  if (typeof device === 'string') return skip(t, device);
  t.after(() => device.remove());
  const path = join(device.path, 'data');
  const child = new StoreProcess([path, 'write', '100000']);
  t.after(() => child.kill());
  await child.opened();
  await waitFor('writes', () => child.lines('acknowledged').length > 50);
  under.fill();
  // The file system sees room, and each block that it has not had before is an error of the device.
  writeFileSync(join(device.path, 'others'), Buffer.alloc(8 * 1024 * 1024, 1));
  let isOver = false;
  void child.ended.then(() => {
    isOver = true;
  });
  await waitFor('it to be met', () => isOver || child.lines('refused').length > 3, 120_000);
  await child.kill();
  const said = [
    ...child.lines('refused'),
    ...child.stderr.split('\n').filter((line) => line.startsWith('the store')),
  ];
  assert.ok(said.length > 0, child.stderr);
  for (const line of said) assert.match(line, /disk|read-only|data file/, 'in words of the service');
  under.free();
  const grown = spawnSync('mount', ['-o', 'remount,size=96m', under.path]);
  assert.equal(grown.status, 0, String(grown.stderr));
  device.repair();
  await whole(path, child);
});
