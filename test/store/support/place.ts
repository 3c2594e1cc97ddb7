import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import type { Place } from './factory.ts';
import { emptyDisk, openMemoryStore } from './memory.ts';

const places = new Set<string>();
// Removes what failed tests left behind.
process.once('exit', () => {
  for (const path of places) rmSync(path, { recursive: true, force: true });
});

export function lmdbPlace(): Place & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  places.add(path);
  return {
    path,
    revisions: 'COUNTED',
    open: (policy) => openLmdbStore({ path, policy }),
    destroy() {
      rmSync(path, { recursive: true, force: true });
      places.delete(path);
    },
  };
}

export function memoryPlace(): Place {
  const disk = emptyDisk();
  return {
    revisions: 'COUNTED',
    open: async (policy) => openMemoryStore(disk, policy),
    destroy: () => {},
  };
}
