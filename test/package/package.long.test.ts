import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { slow } from '../slow.ts';
import { type RunningService, startService } from '../support/service.ts';

// The package as npm makes it, in an empty project: what its users get, and nothing of the clone.

const exec = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
}

const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Package;
let project = '';
let installed = '';
let files: string[] = [];
let service: RunningService;

before(async () => {
  service = await startService();
  project = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  installed = join(project, 'node_modules', 'etcd-discovery');
  // Without its scripts: they would build what these tests run from.
  const pack = ['pack', ROOT, '--ignore-scripts', '--json', '--pack-destination', project];
  const { stdout } = await exec('npm', pack, { cwd: project });
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  assert.ok(packed);
  writeFileSync(join(project, 'package.json'), '{"type": "module", "private": true}');
  const tools = ['typescript', '@types/node'];
  if (slow) {
    const wanted = tools.map((name) => `${name}@${ours.devDependencies[name]}`);
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await exec('npm', ['install', ...flags, join(project, packed.filename), ...wanted], { cwd: project });
  } else {
    // What npm would install, from the clone: no network, and nothing that the package does not ask for.
    mkdirSync(installed, { recursive: true });
    await exec('tar', ['-xzf', join(project, packed.filename), '--strip-components=1', '-C', installed]);
    for (const name of [...Object.keys(ours.dependencies), ...tools]) {
      const link = join(project, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
  }
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

test('the package holds what runs, the types of what it exports, and the protos of the API', () => {
  const odd = files.filter(
    (name) =>
      !/^dist\/(src|gen)\/.*\.js$/.test(name) &&
      !/^dist\/(gen\/discovery|src\/client)\/.*\.d\.ts$/.test(name) &&
      !name.startsWith('dist/src/page/assets/') &&
      !/^proto\/discovery\/.*\.proto$/.test(name),
  );
  assert.deepEqual(odd, [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/src/schema.d.ts',
    'dist/src/server/start.d.ts',
    'package.json',
  ]);
  const served = join(ROOT, 'dist/src/page/assets');
  if (existsSync(served)) {
    for (const name of readdirSync(served).filter((each) => !each.endsWith('.map'))) {
      assert.ok(files.includes(`dist/src/page/assets/${name}`), name);
    }
  }
  const named = [...Object.values(ours.exports), ...Object.values(ours.bin)].map((path) =>
    path.replace(/^\.\//, ''),
  );
  for (const path of named) {
    assert.ok(path.includes('*') || files.includes(path), path);
    if (path.startsWith('dist') && path !== ours.bin['etcd-discovery']) {
      assert.ok(files.includes(path.replace(/js$/, 'd.ts')), `the types of ${path}`);
    }
  }
});

test('the command runs', async () => {
  const command = join(installed, ours.bin['etcd-discovery'] ?? '');
  const { stdout } = await exec(process.execPath, [command, '--version'], { cwd: project });
  assert.match(stdout, /^etcd-discovery \d/);
});

/** The ts blocks of the README, each with what it prints. */
function examples(): Array<{ code: string; output: string }> {
  const markdown = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const pattern = /^```ts\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```\n/gm;
  const found = [...markdown.matchAll(pattern)].map(([, code = '', output = '']) => ({ code, output }));
  assert.equal(found.length, markdown.match(/^```ts$/gm)?.length, 'each has an output');
  return found;
}

const STRICT = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // Our own types are checked as well.
    skipLibCheck: false,
    types: ['node'],
    outDir: 'out',
    rootDir: '.',
  },
  include: ['*.ts'],
};

test('the examples of the README compile with strict types and print what it says', async () => {
  const found = examples();
  assert.ok(found.length >= 3);
  for (const [i, { code }] of found.entries()) {
    writeFileSync(join(project, `example${i}.ts`), code.replaceAll('http://localhost:8087', service.url));
  }
  // For browsers: the same without Node.js, over a transport of the caller's.
  writeFileSync(
    join(project, 'web.ts'),
    `import { createClient, createRouterTransport } from '@connectrpc/connect';
import { retryInterceptor, waitForCluster } from 'etcd-discovery/client/web';
import { DiscoveryService } from 'etcd-discovery/schema';
const transport = createRouterTransport(({ service }) => service(DiscoveryService, {}), { transport: { interceptors: [retryInterceptor()] } });
const client = createClient(DiscoveryService, transport);
await waitForCluster(client, 'a').catch((error: Error) => console.log(error.message));
`,
  );
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(STRICT));
  const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  await exec(process.execPath, [tsc], { cwd: project }).catch((error: { stdout: string }) =>
    assert.fail(error.stdout),
  );
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
