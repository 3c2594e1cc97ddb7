import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson } from '../root.mjs';
import { npmPack, rewrite, writeManifest } from './files.mjs';

/**
 * Lays out the `files` of package.json, and a manifest without the parts for a clone. Returns the directory.
 */
export function layOutService(packages) {
  const directory = join(packages, 'etcd-discovery');
  mkdirSync(directory);
  const packed = npmPack(ROOT, packages);
  execFileSync('tar', ['-xzf', packed, '--strip-components=1', '-C', directory]);
  for (const name of readdirSync(directory, { recursive: true })) {
    if (name.endsWith('.js')) rewrite(join(directory, name), withoutMap);
  }
  const {
    private: _,
    workspaces: _w,
    scripts: _s,
    devDependencies: _d,
    ...manifest
  } = readJson('package.json');
  writeManifest(directory, manifest);
  return directory;
}

/** The package has no source maps, so no file refers to one. */
export function withoutMap(code) {
  return code.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
}
