import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { compile, install, type Packed, pack, STRICT } from './projects.ts';

// The typed client as npm packs it, in an empty project, loaded in every way that a program may use.

const exec = promisify(execFile);
const project = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
let client: Packed;

before(async () => {
  ({ client } = await pack(project));
  await install(project, [client]);
});
after(() => rmSync(project, { recursive: true, force: true }));

const PROGRAM = `import { createDiscoveryClient, type DiscoveryClient } from 'etcd-discovery-client';
import { retryInterceptor } from 'etcd-discovery-client/web';
import { type Cluster, DiscoveryService, ErrorReason } from 'etcd-discovery-client/schema';
const client: DiscoveryClient = createDiscoveryClient('http://localhost:1', { retryForMs: 0 });
const sizeOf = (cluster: Cluster): number => cluster.size;
console.log(typeof sizeOf, typeof client.getCluster, typeof retryInterceptor, DiscoveryService.typeName, ErrorReason.CLUSTER_FULL);
`;
const OUTPUT = /^function function function discovery\.v1\.DiscoveryService \d+\n$/;

test('depends only on Connect and protobuf, and names no file that is missing', () => {
  const packages = Object.keys(client.manifest.dependencies).sort();
  assert.deepEqual(packages, ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node']);
  const { directory } = client;
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((each) => /\.(js|d\.ts)$/.test(each))) {
    const text = readFileSync(join(directory, name), 'utf8');
    assert.doesNotMatch(text, /sourceMappingURL|from ["']\.[^"']*\.ts["']/, name);
  }
});

for (const kind of ['node16', 'nodenext']) {
  test(`can be imported and required by programs compiled for ${kind}`, async () => {
    for (const extension of ['mts', 'cts']) writeFileSync(join(project, `program.${extension}`), PROGRAM);
    const compilerOptions = { ...STRICT, module: kind, moduleResolution: kind };
    await compile(project, { compilerOptions, include: ['program.*'] });
    assert.match(
      readFileSync(join(project, 'out/program.cjs'), 'utf8'),
      /require\("etcd-discovery-client"\)/,
    );
    for (const name of ['program.mjs', 'program.cjs']) {
      const { stdout, stderr } = await exec(process.execPath, [join('out', name)], { cwd: project });
      assert.match(stdout, OUTPUT, name);
      assert.equal(stderr, '', name);
    }
  });
}

test('can be bundled, and for browsers without Node.js', async () => {
  writeFileSync(join(project, 'program.mts'), PROGRAM);
  const compilerOptions = { ...STRICT, module: 'esnext', moduleResolution: 'bundler', noEmit: true };
  await compile(project, { compilerOptions, include: ['program.mts'] });
  const common = { absWorkingDir: project, bundle: true, write: false, logLevel: 'silent' } as const;
  await build({ ...common, entryPoints: ['program.mts'], platform: 'node', format: 'esm' });
  const web = `export * from 'etcd-discovery-client/web'; export * from 'etcd-discovery-client/schema';`;
  await build({ ...common, stdin: { contents: web, resolveDir: project }, platform: 'browser' });
});
