import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import type { Place } from './factory.ts';
import { emptyDisk, openMemoryStore } from './memory.ts';

export function lmdbPlace(): Place & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  return {
    path,
    open: (policy) => openLmdbStore({ path, policy }),
    destroy: () => rmSync(path, { recursive: true, force: true }),
  };
}

export function memoryPlace(): Place {
  const disk = emptyDisk();
  return { open: async (policy) => openMemoryStore(disk, policy), destroy: () => {} };
}
