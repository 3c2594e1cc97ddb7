import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readJson } from '../root.mjs';
import { npmPack, rewrite, writeManifest } from './files.mjs';

/** Lays out what `files` of package.json names, and a manifest without what is for a clone alone. Returns where. */
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

/** Source maps are not in the package, so no file names one. */
export function withoutMap(code) {
  return code.replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
}
