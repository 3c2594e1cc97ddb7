// Builds Go programs once and keeps them in a cache, for tests with clients and servers of other projects.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './debian.mjs';

const run = promisify(execFile);

// A cold build downloads about 100 modules and compiles them all: minutes on a small machine.
const BUILD_LIMIT_MS = 20 * 60_000;

export function cacheDirectory() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'etcd-discovery-tests');
}

/**
 * The program of that name from the cache, built when it is not there (unless `build` is false): `{ path }`, or
 * `{ missing }`, a sentence. `get` lists modules as `module@version`; `source` is the main package: one of theirs,
 * or `.` for the Go module `module` made of what `prepare` writes into the directory that it is given.
 */
export async function provideGoProgram(
  { name, module = 'built', get, source, prepare },
  { build = true } = {},
) {
  const path = join(cacheDirectory(), name);
  if (existsSync(path)) return { path };
  if (!build) return { missing: `${name} is not built` };
  const go = onPath('go');
  if (go === undefined) {
    return {
      missing: `${name} has to be built and \`go\` is not on PATH: install Go from https://go.dev/dl/`,
    };
  }
  await mkdir(cacheDirectory(), { recursive: true });
  // On the cache's own file system, so that the rename at the end is atomic: two runs may build at once.
  const work = await mkdtemp(join(cacheDirectory(), 'build-'));
  try {
    await writeFile(join(work, 'go.mod'), `module ${module}\n`);
    const options = {
      cwd: work,
      timeout: BUILD_LIMIT_MS,
      maxBuffer: 16 << 20,
      env: { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off', CGO_ENABLED: '0' },
    };
    await prepare?.(work);
    await run(go, ['get', ...get], options);
    await run(go, ['build', '-trimpath', '-ldflags=-s -w', '-o', 'program.out', source], options);
    await rename(join(work, 'program.out'), path);
    return { path };
  } catch (error) {
    const detail = String(error.stderr || error.message).trim();
    return { missing: `${name} could not be built with ${go}: ${detail.split('\n').slice(-3).join(' | ')}` };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
