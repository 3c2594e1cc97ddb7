// `npm run check`: lint, format, types and the protos. Runs every step, then fails if one of them did.

import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { install, ROOT } from './prepare.mjs';

const BIN = join(ROOT, 'node_modules', '.bin');
/** Where packages come from for everybody, and no mirror of somebody's. */
const REGISTRY = 'https://registry.npmjs.org/';
const MAIN_BRANCHES = ['main', 'origin/main'];

/** Runs a command in the clone. `{ ok, output }`, the output being all that it printed. */
function run(command, ...args) {
  // Into a file: oxlint aborts when it prints much into a pipe.
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

/** The commit that the protos must stay compatible with: where this branch left main, or what main was before. */
function compatibilityBase() {
  const git = (...args) => {
    const { ok, output } = run('git', ...args);
    return ok ? output : undefined;
  };
  const commit = (name) => git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
  const main = MAIN_BRANCHES.map(commit).find((found) => found !== undefined);
  // A shallow clone may lack the commit that both have.
  const fork = main && (git('merge-base', main, 'HEAD') ?? main);
  return fork === commit('HEAD') ? commit('HEAD~1') : fork;
}

function bufBreaking(temporary) {
  const commit = compatibilityBase();
  // A clone without main gets it by: git fetch origin main:main
  if (commit === undefined) return { ok: true, note: 'no branch main, or no commit before it', output: '' };
  const note = `against ${commit.slice(0, 10)}`;
  // An archive works where buf's own look into .git does not: in a worktree, a shallow or a detached clone.
  const archive = join(temporary, 'base.tar');
  const archived = run('git', 'archive', `--output=${archive}`, commit, 'buf.yaml', 'proto');
  if (!archived.ok) return archived;
  return { ...run('buf', 'breaking', '--against', archive), note };
}

function genIsFresh(temporary) {
  const generated = run('buf', 'generate', '--output', temporary);
  if (!generated.ok) return generated;
  const { ok, output } = run('git', 'diff', '--no-index', '--name-status', join(temporary, 'gen'), 'gen');
  return { ok, output: output && `Not what the protos give:\n${output}\nRun: npm run gen` };
}

/** Versions are exact, none is one that its maintainers have given up, and each is locked for every platform. */
function dependencies() {
  const read = (file) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
  const { dependencies, devDependencies } = read('package.json');
  const { packages } = read('package-lock.json');
  const wrong = [
    ...Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `${name} ${version}: not one exact version`),
    ...Object.entries(packages)
      .filter(([, { deprecated }]) => deprecated !== undefined)
      .map(([path, { version, deprecated }]) => `${path} ${version} is deprecated: ${deprecated}`),
    ...Object.entries(packages)
      .filter(([path]) => path !== '')
      .flatMap(([path, { integrity, resolved }]) => [
        ...(integrity?.startsWith('sha512-')
          ? []
          : [`${path}: package-lock.json has no sha512 integrity of it`]),
        ...(resolved?.startsWith(REGISTRY)
          ? []
          : [`${path}: package-lock.json does not resolve it to ${REGISTRY}`]),
      ]),
  ];
  return { ok: wrong.length === 0, output: wrong.join('\n') };
}

const STEPS = {
  lint: () => run('oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'),
  format: () => run('biome', 'check', '--error-on-warnings', '.'),
  types: () => run('tsc'),
  "the page's types": () => run('tsc', '-p', 'src/page/browser'),
  dependencies,
  'buf lint': () => run('buf', 'lint'),
  'buf breaking': bufBreaking,
  'gen/ is fresh': genIsFresh,
  'docs/api.md is fresh': () => run('node', 'src/dev/api-docs.mjs', '--check'),
};

install();
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
