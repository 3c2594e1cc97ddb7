import { after, before, describe } from 'node:test';
import { openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { freePorts } from '../../etcd/harness/ports.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { laws } from '../laws.ts';
import { forEachEtcd, newPrefix } from '../support/etcd.ts';

await forEachEtcd((label, etcd) => {
  describe(`${label} behind its own gRPC proxy`, () => {
    let endpoint: string;
    const cleanUps: Array<() => Promise<void>> = [];
    before(async () => {
      const scene = await Scene.open({ after: (cleanUp) => cleanUps.push(cleanUp) });
      const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
      const [port = 0] = await freePorts(1);
      const targets = backing.members.map(({ clientUrl }) => new URL(clientUrl).host).join(',');
      const flags = ['grpc-proxy', 'start', `--endpoints=${targets}`, `--listen-addr=127.0.0.1:${port}`];
      const run = scene.run('grpc-proxy', etcd.etcd, flags);
      await scene.waitForLog(run, /listening for grpc-proxy|started gRPC proxy/i);
      endpoint = `http://127.0.0.1:${port}`;
    });
    after(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });
    laws('through a grpc-proxy', () => {
      const prefix = newPrefix();
      return {
        revisions: 'SHARED',
        open: (policy) => openEtcdStore({ endpoints: [endpoint], prefix, policy }),
        destroy: () => {},
      };
    });
  });
});
