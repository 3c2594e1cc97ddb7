import assert from 'node:assert/strict';
import { expectCluster } from './harness/cluster.ts';
import { EtcdNode, type NodeSetup } from './harness/node.ts';
import type { Scene } from './harness/scene.ts';
import { Service } from './harness/service.ts';
import { forEachEtcd } from './harness/versions.ts';

/** What a node with a mistake meets: a service, and a right node that waits for one more. */
interface Situation {
  readonly service: Service;
  readonly right: EtcdNode;
}

interface Mistake {
  readonly name: string;
  /** What is wrong with the node; the rest is right. */
  wrong(situation: Situation): Promise<Partial<NodeSetup>> | Partial<NodeSetup>;
  /** What the node's own log must say. */
  words(situation: Situation): Array<RegExp | string>;
}

const MISTAKES: readonly Mistake[] = [
  {
    name: 'the name of another node',
    wrong: () => ({ name: 'infra1' }),
    words: ({ right }) => ["'infra1' is taken", ...right.peerUrls, '--name'],
  },
  {
    name: 'the peer URL of another node',
    // etcd makes the member's id from the peer URLs, so this one brings the id of the right node.
    wrong: ({ right }) => ({ advertisedPeerUrls: right.peerUrls }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls'],
  },
  {
    name: 'one peer URL of its own and one of another node',
    wrong: ({ right }) => ({ advertisedPeerUrls: ['http://127.0.0.1:9', ...right.peerUrls] }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls'],
  },
  {
    name: 'a name that discovery cannot carry',
    wrong: () => ({ name: 'infra=2' }),
    words: () => [/name/, /equals sign|=/],
  },
  {
    name: 'a token that nobody made',
    wrong: ({ service }) => ({ discovery: `${service.url}/00112233445566778899aabbccddeeff` }),
    words: () => [/token/, /not found|no such|unknown/, '/new?size='],
  },
  {
    name: 'a malformed token',
    wrong: ({ service }) => ({ discovery: `${service.url}/_half` }),
    words: () => [/token/],
  },
  {
    name: 'no token at all',
    wrong: ({ service }) => ({ discovery: service.url }),
    words: () => [/token/],
  },
  {
    name: 'a deleted token',
    wrong: async ({ service }) => {
      const token = await service.createToken({ size: 2 });
      await service.call('DeleteToken', { token });
      return { discovery: `${service.url}/${token}` };
    },
    words: () => [/deleted/, '/new?size='],
  },
];

await forEachEtcd((it) => {
  for (const mistake of MISTAKES) {
    it(`a node with ${mistake.name} is told so, and the others form their cluster`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newDiscoveryUrl(2);
      const right = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
      await right.waitUntilWaiting();

      const situation: Situation = { service, right };
      const setup = { etcd, discovery, name: 'infra2', ...(await mistake.wrong(situation)) };
      const wrong = await EtcdNode.start(scene, setup);
      await expectRefusal(scene, wrong, mistake.words(situation));

      const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
      await expectCluster(scene, [right, second]);
    });
  }

  it('a node that waits is told when its token is deleted', async (scene, etcd) => {
    const service = await Service.start(scene);
    const token = await service.createToken({ size: 2 });
    const discovery = `${service.url}/${token}`;
    const node = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await node.waitUntilWaiting();
    await service.call('DeleteToken', { token });
    await expectRefusal(scene, node, [/deleted/]);
  });

  it('a node whose token expires is told so, while it waits and when it comes later', async (scene, etcd) => {
    const service = await Service.start(scene);
    // The shortest time there is.
    const token = await service.createToken({ size: 2, ttl: '60s' });
    const expiring = `${service.url}/${token}`;
    const early = await EtcdNode.start(scene, { etcd, discovery: expiring, name: 'infra1' });
    await early.waitUntilWaiting();
    await expectRefusal(scene, early, [/expired/]);
    const late = await EtcdNode.start(scene, { etcd, discovery: expiring, name: 'infra2' });
    await expectRefusal(scene, late, [/expired/, '/new?size=']);

    const discovery = await service.newDiscoveryUrl(2);
    const names = ['infra1', 'infra2'];
    const nodes = names.map((name) => EtcdNode.start(scene, { etcd, discovery, name }));
    await expectCluster(scene, await Promise.all(nodes));
  });
});

/** Waits until the node has ended, refused in these words. */
async function expectRefusal(
  scene: Scene,
  node: EtcdNode,
  words: ReadonlyArray<RegExp | string>,
): Promise<void> {
  const { code } = await scene.waitForEnd(node.run);
  assert.equal(code, 1, `exit code${node.run.describe()}`);
  const reason = /failed to join discovery cluster \(\d+: (.*) \[\d+\]\)/.exec(node.run.log)?.[1];
  assert.ok(reason !== undefined, `its log holds a refusal of the service${node.run.describe()}`);
  for (const word of words) {
    const isSaid = typeof word === 'string' ? reason.includes(word) : word.test(reason);
    assert.ok(isSaid, `the log says ${word}: ${reason}`);
  }
}
