import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly resolved?: string }>>;
}

/** A link to test/package.json, which lists the tools of checks and tests. */
const OURS = 'node_modules/etcd-discovery-tools';

test('every package is locked to its origin and its content, for every platform', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  const locked = Object.entries(packages).filter(([path]) => path.includes('node_modules/') && path !== OURS);
  // The binaries of other platforms are among them.
  for (const name of ['@lmdb/lmdb-darwin-arm64', '@lmdb/lmdb-win32-x64', '@lmdb/lmdb-linux-x64'])
    assert.ok(packages[`node_modules/${name}`], name);
  for (const [path, { integrity = '', resolved = '' }] of locked) {
    assert.match(integrity, /^sha512-[\w+/]{86}==$/, path);
    assert.match(resolved, /^https:\/\/registry\.npmjs\.org\/[^?#]+\.tgz$/, path);
  }
});
