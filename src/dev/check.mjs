// `npm run check`: lint, format, types and the protos. Runs every step, then fails if one of them failed.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installAll } from './install.mjs';
import { allPackages } from './locked.mjs';
import { ROOT, readJson } from './root.mjs';

const BIN = join(ROOT, 'node_modules', '.bin');
/** The public registry that all packages must come from, not a local mirror. */
const REGISTRY = 'https://registry.npmjs.org/';

/** Runs a command in the clone. Returns `{ ok, output }` with everything that it printed. */
function run(command, ...args) {
  // To a file, because oxlint aborts when it prints much to a pipe.
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-check-'));
  const file = openSync(join(directory, 'output'), 'w+');
  try {
    const { error, status } = spawnSync(command, args, {
      cwd: ROOT,
      stdio: ['ignore', file, file],
      shell: process.platform === 'win32',
      // buf looks for its plugin on PATH.
      env: { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` },
    });
    if (error !== undefined) return { ok: false, output: `${command}: ${error.message}` };
    return { ok: status === 0, output: readFileSync(join(directory, 'output'), 'utf8').trim() };
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The latest release, with which the protos must stay compatible. Before the first release there are no users
 * to break.
 */
function latestRelease() {
  const { ok, output } = run('git', 'describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*');
  return ok ? output : undefined;
}

function bufBreaking(temporary) {
  const release = latestRelease();
  // A clone without tags gets them with: git fetch --tags
  if (release === undefined) return { ok: true, note: 'no release before it', output: '' };
  const note = `against ${release}`;
  // An archive works where buf cannot read .git: in a worktree, and in a shallow or detached clone.
  const archive = join(temporary, 'base.tar');
  const archived = run('git', 'archive', `--output=${archive}`, release, 'buf.yaml', 'proto');
  if (!archived.ok) return archived;
  return { ...run('buf', 'breaking', '--against', archive), note };
}

function genIsFresh(temporary) {
  const generated = run('buf', 'generate', '--output', temporary);
  if (!generated.ok) return generated;
  const described = run('node', 'src/dev/openapi.mjs', join(temporary, 'gen', 'openapi.json'));
  if (!described.ok) return described;
  const { ok, output } = run('git', 'diff', '--no-index', '--name-status', join(temporary, 'gen'), 'gen');
  return { ok, output: output && `Not what the protos give:\n${output}\nRun: npm run gen` };
}

/** Checks that versions are exact, that none is deprecated, and that each is locked for every platform. */
function dependencies() {
  const { dependencies, devDependencies } = readJson('package.json');
  const { devDependencies: tools } = readJson('test/package.json');
  const lock = readJson('package-lock.json');
  const wrong = [
    ...Object.entries({ ...dependencies, ...devDependencies, ...tools })
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `${name} ${version}: the version must be exact`),
    ...[...allPackages(lock)]
      .filter(([, { deprecated }]) => deprecated !== undefined)
      .map(([path, { version, deprecated }]) => `${path} ${version} is deprecated: ${deprecated}`),
    ...[...allPackages(lock)].flatMap(([path, { integrity, resolved }]) => [
      ...(integrity?.startsWith('sha512-')
        ? []
        : [`${path}: package-lock.json has no sha512 integrity of it`]),
      ...(resolved?.startsWith(REGISTRY)
        ? []
        : [`${path}: package-lock.json does not resolve it to ${REGISTRY}`]),
      // A second copy there would be a different package for the tests than for the tested code.
      ...(path.startsWith('node_modules/') ? [] : [`${path}: must be in the node_modules of the root`]),
    ]),
  ];
  return { ok: wrong.length === 0, output: wrong.join('\n') };
}

const STEPS = {
  // Before the linter, which reads the compiled files that the tests import.
  types: () => run('tsc', '--build', '--stopBuildOnErrors'),
  lint: () => run('oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'),
  format: () => run('biome', 'check', '--error-on-warnings', '.'),
  "the page's types": () => run('tsc', '-p', 'src/page/browser'),
  dependencies,
  'buf lint': () => run('buf', 'lint'),
  'buf breaking': bufBreaking,
  'gen/ is fresh': genIsFresh,
  'docs/reference/api is fresh': () => run('node', 'src/dev/api-docs.mjs', '--check'),
  'docs/reference is fresh': () => run('node', 'src/dev/reference-docs.mjs', '--check'),
};

await installAll();
const failed = [];
for (const [name, step] of Object.entries(STEPS)) {
  const begin = performance.now();
  const temporary = mkdtempSync(join(tmpdir(), 'etcd-discovery-check-'));
  try {
    const { ok, output, note } = step(temporary);
    if (!ok) failed.push(name);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)${note === undefined ? '' : ` ${note}`}`);
    if (!ok) console.log(output);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
if (failed.length > 0) {
  console.log(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log('all checks passed');
}
