import { describe, test } from 'node:test';
import { ONLY_IN_LONG_RUNS, slow } from '../../slow.ts';
import type { Etcd, Etcdctl, GoClient, Missing } from '../../tools/etcd-binaries.mjs';
import { Scene } from './scene.ts';

export type { Etcd, Etcdctl, GoClient } from '../../tools/etcd-binaries.mjs';

// Plain JavaScript that is not compiled to dist/: it is in the clone, three levels up from dist/test/etcd.
const TOOL = new URL('../../../../test/tools/etcd-binaries.mjs', import.meta.url);
const tool = (await import(TOOL.href)) as typeof import('../../tools/etcd-binaries.mjs');

/** The etcdctl to use with every etcd, if available. */
export const ETCDCTL: string | undefined = tool.findEtcdctl();

/** Returns the etcd on PATH, or why it is missing. */
export function installedEtcd(): Promise<Etcd | Missing> {
  return tool.findInstalledEtcd();
}

/** Returns the etcd of a series if it is already built, or why it is missing. */
export function builtEtcd(series: string): Promise<Etcd | Missing> {
  return tool.provideEtcd(series, { build: false });
}

/** Returns the etcd of a series, built if necessary, or why it cannot be built. */
export function etcdIfAny(series: string): Promise<Etcd | Missing> {
  return tool.provideEtcd(series);
}

/** Returns the etcd of a series, built if necessary, even if it is not under test. Fails if it is missing. */
export function etcdOf(series: string): Promise<Etcd> {
  return there(tool.provideEtcd(series));
}

export function etcdctlOf(series: string): Promise<Etcdctl> {
  return there(tool.provideEtcdctl(series));
}

async function there<Found extends { readonly missing?: undefined }>(
  providing: Promise<Found | Missing>,
): Promise<Found> {
  const found = await providing;
  if (found.missing !== undefined) throw new Error(found.missing);
  return found;
}

/** The series whose nodes use `--discovery` (V2), `--discovery-token` (V3) or both, and all series. */
const SPEAKS = {
  BOTH: (series: string): boolean => series === '3.6',
  V2: (series: string): boolean => Number(series.split('.')[1]) <= 6,
  V3: (series: string): boolean => Number(series.split('.')[1]) >= 6,
  ANY: (): boolean => true,
} as const;

/** Why an etcd lacks a dialect, and the series that have it. */
const LACKS = {
  V2: ['has no --discovery', '3.4,3.5,3.6'],
  V3: ['has no --discovery-token', '3.6,3.7'],
  BOTH: ['does not have both dialects', '3.6'],
  ANY: ['is not supported here', '3.4,3.5,3.6,3.7'],
} as const satisfies Record<keyof typeof SPEAKS, readonly [lacks: string, others: string]>;

// Two at a time: a start mostly waits for an election.
const TESTS_AT_ONCE = 2;

type Body<Found> = (scene: Scene, found: Found) => Promise<void>;

/** Declares a test for a program under test. Its scene is closed afterwards. */
export interface Declare<Found> {
  (name: string, body: Body<Found>): void;
  /** Declares a test that waits for long. */
  slow(name: string, body: Body<Found>): void;
}

/**
 * Declares tests once for each etcd under test: those that ETCD_DISCOVERY_TEST_VERSIONS lists (like "3.4,3.5,3.6",
 * built if necessary), else the installed one. Skips them with a reason if it is missing or lacks the dialect.
 */
export async function forEachEtcd(
  declare: (it: Declare<Etcd>) => void,
  dialect: keyof typeof SPEAKS = 'V2',
): Promise<void> {
  const choose = (found: Etcd | Missing): Etcd | Missing => {
    if (found.missing !== undefined || SPEAKS[dialect](found.series)) return found;
    const [lacks, others] = LACKS[dialect];
    return {
      missing: `etcd ${found.version} ${lacks}: set ETCD_DISCOVERY_TEST_VERSIONS=${others} to build some that do`,
    };
  };
  await forEach('etcd', tool.provideEtcd, tool.findInstalledEtcd, choose, declare);
}

/** Declares tests for each etcdctl, like `forEachEtcd`. */
export function forEachEtcdctl(declare: (it: Declare<Etcdctl>) => void): Promise<void> {
  return forEach('etcdctl', tool.provideEtcdctl, tool.findInstalledEtcdctl, (found) => found, declare);
}

/** Declares tests for each Go client, like `forEachEtcd`. The client has to be built. */
export function forEachGoClient(declare: (it: Declare<GoClient>) => void): Promise<void> {
  const none = async (): Promise<Missing> => ({
    missing: 'the Go client has to be built: set ETCD_DISCOVERY_TEST_VERSIONS=3.7 to do so',
  });
  return forEach('Go client', tool.provideGoClient, none, (found) => found, declare);
}

async function forEach<Found extends { readonly version: string; readonly missing?: undefined }>(
  program: string,
  provide: (series: string) => Promise<Found | Missing>,
  findInstalled: () => Promise<Found | Missing>,
  choose: (found: Found | Missing) => Found | Missing,
  declare: (it: Declare<Found>) => void,
): Promise<void> {
  for (const [label, found] of await listed(program, provide, findInstalled)) {
    declareFor(label, choose(found), declare);
  }
}

/** Returns every etcd under test by its label, whatever its dialects, or why it is missing. */
export function etcdsUnderTest(): Promise<Array<[label: string, found: Etcd | Missing]>> {
  return listed('etcd', tool.provideEtcd, tool.findInstalledEtcd);
}

async function listed<Found extends { readonly version: string; readonly missing?: undefined }>(
  program: string,
  provide: (series: string) => Promise<Found | Missing>,
  findInstalled: () => Promise<Found | Missing>,
): Promise<Array<[label: string, found: Found | Missing]>> {
  const series = process.env['ETCD_DISCOVERY_TEST_VERSIONS']?.split(/[\s,]+/).filter((part) => part !== '');
  const wanted = series === undefined || series.length === 0 ? [undefined] : series;
  const all: Array<[string, Found | Missing]> = [];
  // One after the other, because a build uses the whole machine.
  for (const each of wanted) {
    const there = each === undefined ? await findInstalled() : await provide(each);
    all.push([`${program} ${there.version ?? each ?? ''}`.trim(), there]);
  }
  return all;
}

function declareFor<Found extends { readonly missing?: undefined }>(
  label: string,
  found: Found | Missing,
  declare: (it: Declare<Found>) => void,
): void {
  describe(label, { concurrency: TESTS_AT_ONCE }, () => {
    const it = (name: string, body: Body<Found>, skip: string | undefined = found.missing): void => {
      test(name, { skip: skip ?? false }, async (t) => {
        if (found.missing === undefined) await body(await Scene.open(t), found);
      });
    };
    const inLongRuns = slow ? undefined : ONLY_IN_LONG_RUNS;
    it.slow = (name: string, body: Body<Found>) => it(name, body, found.missing ?? inLongRuns);
    declare(it);
  });
}
