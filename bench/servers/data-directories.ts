// Data directories with many tokens: created once, kept in a cache, and copied for each use.

import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../support/child.ts';
import type { Fill } from './fill.ts';

/** Part of the cache's names: raise it when the content changes. */
const EDITION = 1;
const DATA_FILE = 'data.mdb';
/** Tokens live for a year; older directories are created again. */
const KEPT_MS = 300 * 86_400_000;

/** Creates a data directory with this many tokens, as a copy from the cache, which it fills first if necessary. */
export async function copyOfFilled(
  tokens: number,
  { cache, target }: { readonly cache: string; readonly target: string },
  progress: (text: string) => void,
): Promise<void> {
  await mkdir(target, { recursive: true });
  if (tokens === 0) return;
  const kept = join(cache, `bench-${EDITION}-${tokens}-tokens`);
  if (!(await isFresh(kept))) await fill(tokens, kept, progress);
  await copyFile(join(kept, DATA_FILE), join(target, DATA_FILE), constants.COPYFILE_FICLONE);
}

async function isFresh(kept: string): Promise<boolean> {
  const file = join(kept, DATA_FILE);
  return existsSync(file) && Date.now() - (await stat(file)).birthtimeMs < KEPT_MS;
}

async function fill(tokens: number, kept: string, progress: (text: string) => void): Promise<void> {
  progress(`filling a store with ${tokens} tokens: once, it is kept in ${kept}`);
  const work = `${kept}-${process.pid}`;
  await mkdir(work, { recursive: true });
  const filler = new Child('the filler', 'servers/fill.js');
  try {
    await filler.ask('fill', { path: work, tokens } satisfies Fill);
    await filler.stop();
    await rm(kept, { recursive: true, force: true });
    await rename(work, kept);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
