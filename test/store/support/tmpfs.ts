import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of its own, small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves no room, or as much as is said, in bytes. */
  fill(except?: number): void;
  free(): void;
  remove(): void;
}

/** A tmpfs, or why there can be none: only root may mount. */
export function smallDisk(kilobytes: number): SmallDisk | string {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]);
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true });
    return `no small disk can be mounted here (needs root): ${mounted.error?.message ?? String(mounted.stderr).trim()}`;
  }
  return mountedAt(path, () => {});
}

/** What is mounted there. `gone`: takes away what is under it. */
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
        // A file system needs the last blocks for itself.
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
