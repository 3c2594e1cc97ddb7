import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openEtcdStore } from '../../src/store/etcd/store.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { etcdsUnderTest } from '../etcd/harness/versions.ts';
import { EtcdServer } from './etcd-server.ts';
import type { MakePlace } from './factory.ts';

/** Declares tests over stores on a real etcd, one for the file and version. */
export async function forEachEtcdStore(declare: (name: string, makePlace: MakePlace) => void): Promise<void> {
  for (const [label, etcd] of await etcdsUnderTest()) {
    if (etcd.missing !== undefined) {
      test(label, { skip: etcd.missing }, () => {});
      continue;
    }
    let server: EtcdServer;
    const cleanUps: Array<() => Promise<void>> = [];
    before(async () => {
      const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
      server = await EtcdServer.start(scene, etcd);
    });
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });
    declare(label, () => {
      const prefix = `/test-${randomBytes(8).toString('hex')}`;
      return {
        revisions: 'SHARED',
        open: (policy) => openEtcdStore({ endpoints: [server.url], prefix, policy }),
        destroy: () => {},
      };
    });
  }
}
