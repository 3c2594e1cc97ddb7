import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mountedAt, type SmallDisk } from './tmpfs.ts';

/** A block device with an ext4 file system. */
export interface Device extends SmallDisk {
  /** Makes the kernel consider the file system damaged, so that it becomes read-only. Returns why that is impossible. */
  turnReadOnly(): string | undefined;
  /** Unmounts it, repairs it and mounts it again, as after a failure. Throws if it cannot be repaired. */
  repair(): void;
}

function run(command: string, ...args: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `${command}: ${error?.message ?? stderr.trim()}`;
}

/** Returns a loop device over a sparse file in a directory, or why it cannot be created. */
export function loopDevice(under: string, megabytes: number): Device | string {
  const image = join(under, 'device');
  closeSync(openSync(image, 'w'));
  truncateSync(image, megabytes * 1024 * 1024);
  const found = spawnSync('losetup', ['--find', '--show', image], { encoding: 'utf8' });
  if (found.status !== 0)
    return `a loop device cannot be created here: ${found.error?.message ?? found.stderr.trim()}`;
  const device = found.stdout.trim();
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const detach = (): void => void run('losetup', '--detach', device);
  const failure = run('mkfs.ext4', '-q', '-F', '-m', '0', device) ?? run('mount', device, path);
  if (failure !== undefined) {
    detach();
    rmSync(path, { recursive: true });
    return failure;
  }
  return {
    ...mountedAt(path, detach),
    turnReadOnly() {
      const remount = run('mount', '-o', 'remount,errors=remount-ro', path);
      if (remount !== undefined) return remount;
      try {
        writeFileSync(join('/sys/fs/ext4', basename(device), 'trigger_fs_error'), '1');
      } catch (error) {
        return `no error can be caused here: ${String(error)}`;
      }
      return undefined;
    },
    repair() {
      run('umount', path);
      // Exit code 1: e2fsck repaired something.
      const { status, stdout } = spawnSync('e2fsck', ['-f', '-y', device], { encoding: 'utf8' });
      const again = (status ?? 99) > 1 ? stdout : run('mount', device, path);
      if (again !== undefined) throw new Error(again);
    },
  };
}
