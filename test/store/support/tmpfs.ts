import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A separate disk, small enough to fill. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves no space, or this many bytes. */
  fill(except?: number): void;
  free(): void;
  remove(): void;
}

/** Mounts a tmpfs, or returns why it cannot: only root can mount. */
export function smallDisk(kilobytes: number): SmallDisk | string {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]);
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true });
    return `a small disk cannot be mounted here (needs root): ${mounted.error?.message ?? String(mounted.stderr).trim()}`;
  }
  return mountedAt(path, () => {});
}

/** Returns the disk mounted at a path. `gone` removes what is under it. */
export function mountedAt(path: string, gone: () => void): SmallDisk {
  const filler = join(path, 'filler');
  const room = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    fill(except = 0) {
      try {
        while (room() > except) appendFileSync(filler, Buffer.alloc(Math.min(4096, room() - except)));
      } catch (error) {
        // The file system reserves its last blocks.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      spawnSync('umount', ['-l', path]);
      rmSync(path, { recursive: true, force: true });
      gone();
    },
  };
}
