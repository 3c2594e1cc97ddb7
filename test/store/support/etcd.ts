import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Store } from '../../../src/discovery/store.ts';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { type Etcd, etcdsUnderTest } from '../../etcd/harness/versions.ts';
import type { MakePlace } from './factory.ts';

/** Declares tests for each etcd under test, or a skipped test with the reason. */
export async function forEachEtcd(declare: (label: string, etcd: Etcd) => void): Promise<void> {
  for (const [label, etcd] of await etcdsUnderTest()) {
    if (etcd.missing !== undefined) test(label, { skip: etcd.missing }, () => {});
    else declare(label, etcd);
  }
}

/** Declares tests over stores on a real etcd of one member: over one store, or over two replicas combined into one. */
export async function forEachEtcdStore(
  declare: (name: string, makePlace: MakePlace) => void,
  stores: 'ONE' | 'TWO' = 'ONE',
): Promise<void> {
  await forEachEtcd((label, etcd) => {
    describe(label, () => {
      let backing: BackingEtcd;
      const cleanUps: Array<() => Promise<void>> = [];
      before(async () => {
        const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
        backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      });
      after(async () => {
        for (const cleanUp of cleanUps) await cleanUp();
      });
      declare(stores === 'ONE' ? label : `two replicas over ${label}`, () => {
        const prefix = newPrefix();
        const endpoints = backing.members.map((member) => member.clientUrl);
        return {
          revisions: 'SHARED',
          open: async (policy) => {
            const open = (): Promise<Store> => openEtcdStore({ endpoints, prefix, policy });
            return stores === 'ONE' ? open() : combine(await open(), await open());
          },
          destroy: () => {},
        };
      });
    });
  });
}

export function newPrefix(): string {
  return `/test-${randomBytes(8).toString('hex')}`;
}

/** Writes through one store, reads and watches through the other. */
function combine(one: Store, other: Store): Store {
  assert.deepEqual(one.key, other.key);
  return {
    key: one.key,
    write: (token, decide) => one.write(token, decide),
    sweep: (endedBefore, limit) => one.sweep(endedBefore, limit),
    ping: () => other.ping(),
    revision: () => other.revision(),
    read: (token) => other.read(token),
    events: (token, from, limit) => other.events(token, from, limit),
    list: (from, limit, onDamaged) => other.list(from, limit, onDamaged),
    ending: (from, until, limit) => other.ending(from, until, limit),
    newest: (phase, after, limit) => other.newest(phase, after, limit),
    onCommit: (listener) => other.onCommit(listener),
    close: async () => {
      await one.close();
      await other.close();
    },
  };
}
