import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type RunningService, startService } from '../support/service.ts';
import { compile, install, type Manifest, pack, ROOT, STRICT } from './projects.ts';

// Both packages as npm packs them, in an empty project: what users get, without the clone.

const exec = promisify(execFile);

let ours: Manifest;
let project = '';
let installed = '';
let files: string[] = [];
let service: RunningService;

before(async () => {
  service = await startService();
  project = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  installed = join(project, 'node_modules', 'etcd-discovery');
  const packed = await pack(project);
  ours = packed.service.manifest;
  await install(project, [packed.service, packed.client]);
  files = readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    .filter((name) => !name.startsWith('node_modules'))
    .sort();
});
after(async () => {
  rmSync(project, { recursive: true, force: true });
  await service.stop();
});

test("the service's package has the program, the types of its exports, and the protos of the API", () => {
  const odd = files.filter(
    (name) =>
      !/^dist\/(src|gen)\/.*\.js$/.test(name) &&
      !/^dist\/src\/parts\/[a-z-]+\.cjs$/.test(name) &&
      !name.startsWith('dist/src/page/assets/') &&
      !/^proto\/discovery\/.*\.proto$/.test(name),
  );
  assert.deepEqual(odd, [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/gen/openapi.json',
    'dist/src/main.cjs',
    'dist/src/server/start.d.ts',
    'package.json',
  ]);
  const served = join(ROOT, 'dist/src/page/assets');
  if (existsSync(served)) {
    for (const name of readdirSync(served).filter((each) => !each.endsWith('.map'))) {
      assert.ok(files.includes(`dist/src/page/assets/${name}`), name);
    }
  }
  const command = ours.bin?.['etcd-discovery'];
  const named = [...Object.values(ours.exports), command].map((path) => String(path).replace(/^\.\//, ''));
  for (const path of named) {
    assert.ok(path.includes('*') || files.includes(path), path);
    if (path.startsWith('dist') && path !== command) {
      assert.ok(files.includes(path.replace(/js$/, 'd.ts')), `the types of ${path}`);
    }
  }
  for (const name of files.filter((each) => each.endsWith('.js'))) {
    assert.doesNotMatch(readFileSync(join(installed, name), 'utf8'), /^\/\/# sourceMappingURL/m, name);
  }
});

test('the command runs', async () => {
  const command = join(installed, ours.bin?.['etcd-discovery'] ?? '');
  const { stdout } = await exec(process.execPath, [command, '--version'], { cwd: project });
  assert.match(stdout, /^etcd-discovery \d/);
});

/** Returns the ts blocks of the guide, each with its expected output. */
function examples(): Array<{ code: string; output: string }> {
  const markdown = readFileSync(join(ROOT, 'docs', 'guides', 'typescript-client.md'), 'utf8');
  const pattern = /^```ts\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```\n/gm;
  const found = [...markdown.matchAll(pattern)].map(([, code = '', output = '']) => ({ code, output }));
  assert.equal(found.length, markdown.match(/^```ts$/gm)?.length, 'each has an output');
  return found;
}

test('the examples of the guide compile with strict types and print their documented output', async () => {
  const found = examples();
  assert.ok(found.length >= 3);
  for (const [i, { code }] of found.entries()) {
    writeFileSync(join(project, `example${i}.ts`), code.replaceAll('http://localhost:8087', service.url));
  }
  // For browsers: the same without Node.js, over a transport that the caller provides.
  writeFileSync(
    join(project, 'web.ts'),
    `import { createClient, createRouterTransport } from '@connectrpc/connect';
import { retryInterceptor, waitForCluster } from 'etcd-discovery-client/web';
import { DiscoveryService } from 'etcd-discovery-client/schema';
const transport = createRouterTransport(({ service }) => service(DiscoveryService, {}), { transport: { interceptors: [retryInterceptor()] } });
const client = createClient(DiscoveryService, transport);
await waitForCluster(client, 'a').catch((error: Error) => console.log(error.message));
`,
  );
  await compile(project, { compilerOptions: STRICT, include: ['*.ts'] });
  for (const [i, { output }] of found.entries()) {
    const { stdout } = await exec(process.execPath, [`out/example${i}.js`], {
      cwd: project,
      timeout: 60_000,
    });
    assert.equal(stdout, output);
  }
  const { stdout } = await exec(process.execPath, ['out/web.js'], { cwd: project });
  assert.match(stdout, /unimplemented/);
});
