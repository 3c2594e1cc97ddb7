import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { onPath } from '../support/debian.ts';

const UNIT = 'deploy/etcd-discovery.service';
const SOCKET = 'deploy/etcd-discovery.socket';
const skip = onPath('systemd-analyze') === undefined && 'no systemd-analyze on PATH: install systemd';

suite('the systemd unit', { skip }, () => {
  // A root directory in which the command is installed as npm installs it.
  const root = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const unit = join(root, 'etc/systemd/system/etcd-discovery.service');
  mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  copyFileSync(UNIT, unit);
  const socket = join(root, 'etc/systemd/system/etcd-discovery.socket');
  copyFileSync(SOCKET, socket);
  const command = join(root, 'usr/bin/etcd-discovery');
  writeFileSync(command, '#!/bin/sh\n');
  chmodSync(command, 0o755);

  const verify = (): string => {
    const units = ['etcd-discovery.service', 'etcd-discovery.socket'];
    const { stderr } = spawnSync('systemd-analyze', ['verify', `--root=${root}`, ...units], {
      encoding: 'utf8',
    });
    // The root has no other units, which is not a fault of this one.
    return stderr
      .split('\n')
      .filter((line) => line.includes('etcd-discovery'))
      .filter((line) => !/Unit \S+\.target not found/.test(line))
      .join('\n');
  };

  test('is valid, and systemd-analyze would report a mistake', () => {
    assert.equal(verify(), '');
    const text = readFileSync(UNIT, 'utf8');
    writeFileSync(unit, text.replace('ProtectHome=yes', 'ProtectHoem=yes'));
    assert.match(verify(), /ProtectHoem/);
    writeFileSync(unit, text);
    const right = readFileSync(SOCKET, 'utf8');
    writeFileSync(socket, right.replace('Backlog=', 'Backlock='));
    assert.match(verify(), /Backlock/);
    writeFileSync(socket, right);
  });

  test('has the memory limit of the manifests, leaves no core dump, and may use systemd-notify', () => {
    const text = readFileSync(UNIT, 'utf8');
    const [, memory] =
      /memory: (\d+)Mi\n *securityContext/.exec(
        readFileSync('deploy/kubernetes/components/pod/pod.yaml', 'utf8'),
      ) ?? [];
    for (const line of ['Type=notify', 'NotifyAccess=all', 'LimitCORE=0', `MemoryMax=${memory}M`])
      assert.ok(text.split('\n').includes(line), line);
  });

  test('is hardened: systemd rates its exposure as low', () => {
    const output = execFileSync('systemd-analyze', ['security', '--offline=true', UNIT], {
      encoding: 'utf8',
    });
    const level = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(output)?.[1]);
    console.log(`exposure level: ${level}`);
    assert.ok(level <= 1.5, output);
  });
});
