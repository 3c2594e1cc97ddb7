#!/usr/bin/env node
// Finds or builds real etcd, etcdctl and a program that uses etcd's Go client library: from PATH (Debian has 3.4), or
// as builds of their Go modules, kept in a cache.
// As a command: node test/tools/etcd-binaries.mjs 3.4 3.5 3.6 3.7

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { installDebian, isDebianRoot, onPath } from './debian.mjs';
import { provideGoProgram } from './go-build.mjs';

const run = promisify(execFile);

/** The release to build for each series whose server is a separate Go module. */
const RELEASES = { 3.5: 'v3.5.35', 3.6: 'v3.6.16', 3.7: 'v3.7.3' };

const ETCD_VERSION = { args: ['--version'], pattern: /^etcd Version: (\d+\.\d+\.\S+)/m };
const ETCDCTL_VERSION = { args: ['version'], pattern: /^etcdctl version: (\d+\.\d+\.\S+)/m };

const BUILD = 'node test/tools/etcd-binaries.mjs';
const WHAT_TO_DO =
  'install etcd 3.4 or 3.5 so that `etcd` is on PATH, or set ETCD_DISCOVERY_TEST_ETCD=/path/to/etcd ' +
  '(and ETCD_DISCOVERY_TEST_ETCDCTL=/path/to/etcdctl)';

/** Returns the version that a binary reports, for example 3.4.23, or undefined if it does not run or reports none. */
async function versionOf(command, { args, pattern }) {
  try {
    const { stdout } = await run(command, args, {
      timeout: 20_000,
      env: { ...process.env, ETCDCTL_API: '3' },
    });
    return pattern.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Returns the etcdctl to use with every etcd, or undefined. */
export function findEtcdctl() {
  return process.env.ETCD_DISCOVERY_TEST_ETCDCTL || onPath('etcdctl');
}

/**
 * Returns the etcd that is available without building, from ETCD_DISCOVERY_TEST_ETCD or PATH: `{ series, version,
 * etcd }`, or `{ missing }`, a sentence.
 */
export async function findInstalledEtcd() {
  const named = process.env.ETCD_DISCOVERY_TEST_ETCD;
  const etcd = named || onPath('etcd');
  if (etcd === undefined) return { missing: `no etcd on PATH: ${WHAT_TO_DO}` };
  const version = await versionOf(etcd, ETCD_VERSION);
  if (version === undefined) {
    const source = named ? 'ETCD_DISCOVERY_TEST_ETCD' : 'PATH';
    return { missing: `${etcd} (from ${source}) does not answer \`--version\` as etcd does: ${WHAT_TO_DO}` };
  }
  return { series: seriesOf(version), version, etcd };
}

/**
 * Returns the etcdctl that is available without building: `{ series, version, etcdctl }`, or `{ missing }`, a
 * sentence.
 */
export async function findInstalledEtcdctl() {
  const etcdctl = findEtcdctl();
  if (etcdctl === undefined) return { missing: `no etcdctl on PATH: ${WHAT_TO_DO}` };
  const version = await versionOf(etcdctl, ETCDCTL_VERSION);
  if (version === undefined) {
    return { missing: `${etcdctl} does not answer \`version\` as etcdctl does: ${WHAT_TO_DO}` };
  }
  return { series: seriesOf(version), version, etcdctl };
}

const seriesOf = (version) => version.split('.').slice(0, 2).join('.');

const ETCD_MAIN = `package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
`;

/**
 * The etcd of a series like "3.5": the installed one when it is of that series, else a cached build, else
 * (unless `build` is false) a build made now. `{ series, version, etcd }`, or `{ missing }`, a sentence.
 */
export async function provideEtcd(series, { build = true } = {}) {
  const installed = await findInstalledEtcd();
  const isBroken = installed.missing !== undefined && process.env.ETCD_DISCOVERY_TEST_ETCD;
  if (installed.series === series || isBroken) return installed;
  const program = { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', main: ETCD_MAIN };
  const { path, ...found } = await provideProgram(program, series, build);
  return path === undefined ? found : { ...found, etcd: path };
}

/**
 * The etcdctl of a series: the installed one when it is of that series, else a build as for `provideEtcd`.
 * `{ series, version, etcdctl }`, or `{ missing }`, a sentence.
 */
export async function provideEtcdctl(series, { build = true } = {}) {
  const installed = await findInstalledEtcdctl();
  if (installed.series === series) return installed;
  const program = { name: 'etcdctl', module: 'go.etcd.io/etcd/etcdctl/v3' };
  const { path, ...found } = await provideProgram(program, series, build);
  return path === undefined ? found : { ...found, etcdctl: path };
}

/**
 * The program of test/tools/goclient over etcd's Go client library of a series, built as for `provideEtcd`.
 * `{ series, version, goclient }`, or `{ missing }`, a sentence.
 */
export async function provideGoClient(series, { build = true } = {}) {
  if (RELEASES[series] === undefined)
    return { missing: `the Go client ${series} is not a separate Go module` };
  const main = readFileSync(new URL('./goclient/main.go', import.meta.url), 'utf8');
  const digest = createHash('sha256').update(main).digest('hex').slice(0, 12);
  const program = { name: `goclient-${digest}`, module: 'go.etcd.io/etcd/client/v3', main };
  const { path, ...found } = await provideProgram(program, series, build);
  return path === undefined ? found : { ...found, goclient: path };
}

/** A cached build of a program at the release of a series: `{ series, version, path }`, or `{ missing }`. */
async function provideProgram({ name, module, main }, series, build) {
  const release = RELEASES[series];
  if (release === undefined) return { missing: `no ${name} ${series}: ${WHAT_TO_DO}` };
  const version = release.slice(1);
  const program = {
    name: `${name}-${version}`,
    get: [`${module}@${release}`],
    source: main === undefined ? module : '.',
    prepare: async (work) => main === undefined || writeFile(join(work, 'main.go'), main),
  };
  const { path, missing } = await provideGoProgram(program, { build });
  if (missing === undefined) return { series, version, path };
  return { missing: build ? missing : `${missing}: ${BUILD} ${series}` };
}

/**
 * Installs Debian's etcd and etcdctl when `etcd` is nowhere to be found and this is Debian or Ubuntu as root.
 * Returns undefined when there is an etcd in the end, else a sentence that says what to do.
 */
export async function installDebianEtcd() {
  const before = await findInstalledEtcd();
  if (before.missing === undefined) return undefined;
  if (process.env.ETCD_DISCOVERY_TEST_ETCD || !isDebianRoot()) return before.missing;
  const failed = await installDebian('etcd-server', 'etcd-client');
  return failed === undefined ? (await findInstalledEtcd()).missing : `${failed}: ${WHAT_TO_DO}`;
}

const PROVIDERS = [provideEtcd, provideEtcdctl, provideGoClient];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const wanted = process.argv.slice(2);
  if (wanted.length === 0 || wanted.some((series) => !/^\d+\.\d+$/.test(series))) {
    console.error('usage: node test/tools/etcd-binaries.mjs SERIES...   (for example: 3.4 3.7)');
    process.exit(2);
  }
  for (const series of wanted) {
    for (const provide of RELEASES[series] === undefined ? PROVIDERS.slice(0, 2) : PROVIDERS) {
      const found = await provide(series);
      if (found.missing !== undefined) process.exitCode = 1;
      console.log(found.missing ?? `${found.version} ${found.etcd ?? found.etcdctl ?? found.goclient}`);
    }
  }
}
