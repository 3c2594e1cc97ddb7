import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs npm pack on a directory. Returns the path of the tarball. */
export function npmPack(directory, into) {
  const flags = ['--ignore-scripts', '--loglevel=error', '--pack-destination', into];
  const options = { cwd: directory, encoding: 'utf8', shell: process.platform === 'win32' };
  return join(into, execFileSync('npm', ['pack', ...flags], options).trim());
}

export function rewrite(file, change) {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

export function writeManifest(directory, manifest) {
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
