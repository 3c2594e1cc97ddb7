import { describe, test } from 'node:test';
import { slow } from '../../slow.ts';
import type { Etcd, Missing } from '../../tools/etcd-binaries.mjs';
import { Scene } from './scene.ts';

export type { Etcd } from '../../tools/etcd-binaries.mjs';

// Plain JavaScript that is not compiled to dist/: it lies in the clone, three levels up from dist/test/etcd.
const TOOL = new URL('../../../../test/tools/etcd-binaries.mjs', import.meta.url);
const tool = (await import(TOOL.href)) as typeof import('../../tools/etcd-binaries.mjs');

/** The etcdctl for every etcd, when there is one. */
export const ETCDCTL: string | undefined = tool.findEtcdctl();

/** The etcd on PATH, or why there is none. */
export function installedEtcd(): Promise<Etcd | Missing> {
  return tool.findInstalledEtcd();
}

// Two clusters at a time: a start is mostly waiting for an election.
const TESTS_AT_ONCE = 2;

type Body = (scene: Scene, etcd: Etcd) => Promise<void>;

/** Declares a test for an etcd. Its scene is closed afterwards. */
export interface Declare {
  (name: string, body: Body): void;
  /** For a test that has to wait long. */
  slow(name: string, body: Body): void;
}

/**
 * Declares tests once for each etcd under test: those that ETCD_DISCOVERY_TEST_VERSIONS lists (like
 * "3.4,3.5,3.6", built when need be), else the installed one. Without it they are skipped, and say why.
 */
export async function forEachEtcd(declare: (it: Declare) => void): Promise<void> {
  for (const { label, found } of await etcdsUnderTest()) {
    describe(label, { concurrency: TESTS_AT_ONCE }, () => {
      const it = (name: string, body: Body, skip: string | undefined = found.missing): void => {
        test(name, { skip: skip ?? false }, async (t) => {
          if (found.missing === undefined) await body(await Scene.open(t), found);
        });
      };
      const inLongRuns = slow ? undefined : 'only in a long run: npm test -- --slow';
      it.slow = (name: string, body: Body) => it(name, body, found.missing ?? inLongRuns);
      declare(it);
    });
  }
}

async function etcdsUnderTest(): Promise<Array<{ label: string; found: Etcd | Missing }>> {
  const wanted = process.env['ETCD_DISCOVERY_TEST_VERSIONS']?.split(/[\s,]+/).filter((part) => part !== '');
  if (wanted === undefined || wanted.length === 0) {
    const found = await installedEtcd();
    return [{ label: `etcd ${found.version ?? ''}`.trim(), found }];
  }
  const etcds: Array<{ label: string; found: Etcd | Missing }> = [];
  // One after the other: a build uses the whole machine.
  for (const series of wanted) {
    const found = await tool.provideEtcd(series);
    etcds.push({ label: `etcd ${found.version ?? series}`, found });
  }
  return etcds;
}
