import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Token } from '../../../src/discovery/types.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { waitFor } from '../../support/wait.ts';
import { create, token } from '../support/commands.ts';
import { type Device, loopDevice } from '../support/device.ts';
import { StoreProcess } from '../support/process.ts';
import { smallDisk } from '../support/tmpfs.ts';
import { readWhole } from '../support/verify.ts';

function skip(t: TestContext, reason: string): void {
  console.log(`skipped: ${reason}`);
  t.skip(reason);
}

async function checkAcknowledged(path: string, child: StoreProcess): Promise<void> {
  const { clusters } = await readWhole(path);
  const acknowledged = child.lines('acknowledged').map((line) => line.split(' ')[1] as Token);
  assert.ok(acknowledged.length > 0);
  for (const each of acknowledged) assert.ok(clusters.has(each), 'what was acknowledged is there');
}

test('a full ext4 device rejects writes until it has room again', async (t) => {
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
    await waitFor('a rejected write', () => child.lines('refused').length > refused, 60_000);
    device.free();
  }
  const last = child.lines('acknowledged').length;
  await waitFor('later writes', () => child.lines('acknowledged').length > last + 50, 60_000);
  await child.kill();
  for (const line of child.lines('refused')) {
    assert.match(line, /the disk of the data directory is full; free some space$/);
  }
  assert.equal(child.stderr, '');
  await checkAcknowledged(path, child);
});

test('an ext4 that turns read-only between writes is noticed before LMDB writes, and works after a repair', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const device = loopDevice(directory, 24);
  if (typeof device === 'string') return skip(t, device);
  t.after(() => device.remove());
  const path = join(device.path, 'data');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const kept = token();
  await discovery.createToken(create(kept));
  const reason = device.turnReadOnly();
  if (reason !== undefined) {
    await store.close();
    return skip(t, reason);
  }
  // The kernel does this in another thread.
  const file = join(device.path, 'file');
  await waitFor('the file system to be read-only', () => {
    try {
      writeFileSync(file, '');
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EROFS';
    }
  });
  const lost = token();
  const refusal = await discovery.createToken(create(lost)).catch((error: unknown) => error);
  assert.ok(refusal instanceof DiscoveryError, String(refusal));
  assert.match(
    refusal.message,
    /^nothing was changed: .* is on a read-only file system; remount it read-write$/,
  );
  assert.equal((refusal.cause as NodeJS.ErrnoException).syscall, 'futime', 'LMDB was not asked');
  assert.equal((await store.read(kept)).cluster?.token, kept);
  await assert.rejects(store.ping(), { message: refusal.message });
  await store.close();
  device.repair();
  const again = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  await new Discovery(again, DEFAULT_POLICY).createToken(create(lost));
  assert.equal((await again.read(kept)).cluster?.token, kept);
  await again.close();
});

test('a device that reports more space than it has loses no acknowledged write', async (t) => {
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
  // The file system sees free space, but the device fails for each block that was never written.
  writeFileSync(join(device.path, 'others'), Buffer.alloc(8 * 1024 * 1024, 1));
  let isOver = false;
  void child.ended.then(() => {
    isOver = true;
  });
  await waitFor('the failure', () => isOver || child.lines('refused').length > 3, 120_000);
  await child.kill();
  const reports = child.reports();
  // If LMDB meets the error itself, glibc may abort the process before it says why (see disk.long.test.ts).
  assert.ok(reports.length > 0 || (await child.ended).signal === 'SIGABRT', child.stderr);
  for (const line of reports) assert.match(line, /disk|read-only|data file/, 'an error of the service');
  under.free();
  const grown = spawnSync('mount', ['-o', 'remount,size=96m', under.path]);
  assert.equal(grown.status, 0, String(grown.stderr));
  device.repair();
  await checkAcknowledged(path, child);
});
