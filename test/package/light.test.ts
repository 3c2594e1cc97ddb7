import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

// The packages that `npm start` installs in a fresh clone: enough to run and to build, and small.

interface Locked {
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly engines?: { readonly node?: string };
}
type Packages = ReadonlyMap<string, Locked>;

const lock: unknown = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { allPackages, servicePackages } = (await import(pathToFileURL('src/dev/locked.mjs').href)) as {
  allPackages: (lock: unknown) => Packages;
  servicePackages: (lock: unknown) => Packages;
};

/** Returns the paths of what npm installs on a platform. */
function on(packages: Packages, os: string, cpu: string): string[] {
  const taken = [...packages].filter(
    ([, each]) => !each.optional || (each.os?.includes(os) === true && each.cpu?.includes(cpu) === true),
  );
  return taken.map(([path]) => path);
}

const MIB = 2 ** 20;
const OF_CHECKS_AND_TESTS =
  /^node_modules\/(@biomejs|@bufbuild\/(buf|protoc)|oxlint|@oxlint|playwright|axe-core|fast-check|@opentelemetry\/sdk)/;

test('the first start installs no tools of checks and tests', () => {
  const service = servicePackages(lock);
  const all = allPackages(lock);
  assert.ok([...all.keys()].some((path) => OF_CHECKS_AND_TESTS.test(path)));
  for (const path of service.keys()) {
    assert.doesNotMatch(path, OF_CHECKS_AND_TESTS);
    assert.ok(all.has(path), path);
  }
  // Each package is one more to trust. The native compiler and the store have one for each platform.
  for (const cpu of ['x64', 'arm64']) {
    const count = on(service, 'linux', cpu).length;
    assert.ok(count <= 95, `${count} packages on linux-${cpu}`);
  }
});

test('the first start installs at most 120 MiB', () => {
  const sizes = on(servicePackages(lock), process.platform, process.arch).map((path) => {
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' });
    // A package installed inside another one is counted there.
    const own = files.filter((name) => !name.startsWith('node_modules'));
    // Disk usage, in blocks.
    const bytes = own.map((name) => Math.ceil(lstatSync(join(path, name)).size / 4096) * 4096);
    return bytes.reduce((sum, size) => sum + size, 0);
  });
  const mebibytes = sizes.reduce((sum, size) => sum + size, 0) / MIB;
  assert.ok(mebibytes > 50, `${mebibytes.toFixed(0)} MiB: is everything installed?`);
  assert.ok(mebibytes <= 120, `${mebibytes.toFixed(0)} MiB`);
});

test('every package supports the oldest promised Node.js', () => {
  for (const [path, { engines }] of allPackages(lock)) {
    const wanted = engines?.node ?? '*';
    const allowed = wanted
      .split('||')
      .some((range) => /^\s*(\*|\^20|(>=|\^)?\s*(1\d|20|\d)(\.|$|\s))/.test(range));
    assert.ok(allowed, `${path} wants Node.js ${wanted}`);
  }
});
