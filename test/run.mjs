// `npm test`: prepares the clone and a real etcd, and runs the tests.
// npm test                        quick tests: every file except *.long.test.ts and the floods
// npm test -- test/flood/         the floods, alone: they measure how the service treats other clients
// npm test -- store arrows        the test files whose path contains "store" or "arrows", long ones too
// npm test -- --except readme     all others; can be given several times
// npm test -- --slow              every file except the floods, with more histories, kills and sizes
// npm test -- --node /path/node   under another Node.js

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAll } from '../src/dev/build.mjs';
import { installAll } from '../src/dev/install.mjs';
import { fail, ROOT } from '../src/dev/root.mjs';
import { installChromium } from './tools/chromium.mjs';
import { installDebianEtcd } from './tools/etcd-binaries.mjs';

// Fails a file that never ends instead of hanging the run.
const FILE_LIMIT_MS = 5 * 60_000;
const SLOW_FILE_LIMIT_MS = 20 * 60_000;
// The soak test keeps the service at full load for as long as requested.
const FLOOD_FILE_LIMIT_MS = 20 * 60_000;
// All interleavings of four nodes of the model take an hour. Run by hand only.
const EXHAUSTIVE_FILE_LIMIT_MS = 3 * 3_600_000;
const FILES_AT_ONCE = 2;

const { values: options, positionals: wanted } = readArguments();
const slow = options.slow || process.env.ETCD_DISCOVERY_TEST_SLOW === '1';
const node = resolve(options.node ?? process.execPath);
if (!existsSync(node)) fail(`--node ${options.node}: no such file.`);

await installAll();
await buildAll();

const all = readdirSync(join(ROOT, 'dist', 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => `test/${name.replaceAll('\\', '/').replace(/js$/, 'ts')}`)
  .sort();
const isFlood = (file) => file.startsWith('test/flood/');
const isLong = (file) => file.endsWith('.long.test.ts');
const withFloods = wanted.some((part) => part.includes('flood/'));
const withLong = slow || wanted.length > 0;
const chosen = all.filter(
  (file) =>
    (wanted.length === 0 || wanted.some((part) => file.includes(part))) &&
    !options.except.some((part) => file.includes(part)) &&
    (withFloods || !isFlood(file)) &&
    (withLong || !isLong(file)),
);
if (chosen.length === 0) {
  fail(
    `No test file has ${wanted.map((part) => `"${part}"`).join(' or ')} in its path. The test files are:\n${all.join('\n')}`,
  );
}

// Tests that need etcd skip themselves with the same reason if it is missing.
const noEtcd = await installDebianEtcd();
if (noEtcd !== undefined) console.error(`The tests with real etcd will be skipped: ${noEtcd}`);
if (withLong && chosen.some((file) => file.startsWith('test/page/'))) {
  const noChromium = await installChromium();
  if (noChromium !== undefined) console.error(`The tests with a browser will be skipped: ${noChromium}`);
}

const child = spawn(
  node,
  [
    '--enable-source-maps',
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-concurrency=${withFloods ? 1 : FILES_AT_ONCE}`,
    `--test-timeout=${fileLimit()}`,
    ...chosen.map((file) => join('dist', file.replace(/ts$/, 'js'))),
  ],
  { cwd: ROOT, stdio: 'inherit', env: environment() },
);
// The terminal sends SIGINT to the child as well; waiting for it here keeps its last lines.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

function fileLimit() {
  if (withFloods) return FLOOD_FILE_LIMIT_MS;
  if (process.env.ETCD_DISCOVERY_TEST_EXHAUSTIVE === '1') return EXHAUSTIVE_FILE_LIMIT_MS;
  return slow ? SLOW_FILE_LIMIT_MS : FILE_LIMIT_MS;
}

function environment() {
  const environment = { ...process.env, ETCD_DISCOVERY_TEST_SLOW: slow ? '1' : '0' };
  // Commands that tests run by name (`npm`, `node`) must use the same Node.js.
  if (options.node !== undefined) environment.PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`;
  return environment;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        slow: { type: 'boolean', default: false },
        node: { type: 'string' },
        except: { type: 'string', multiple: true, default: [] },
      },
    });
  } catch (error) {
    return fail(
      `${error.message}\nusage: npm test -- [--slow] [--node PATH] [--except PART]... [PART-OF-A-TEST-FILE'S-PATH...]`,
    );
  }
}
