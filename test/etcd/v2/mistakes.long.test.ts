import assert from 'node:assert/strict';
import { expectCluster, expectHealthy } from '../harness/cluster.ts';
import { EtcdNode, type NodeSetup, startNodes } from '../harness/node.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

/** What a node with a mistake meets: a service, and a right node that waits for one more. */
interface Situation {
  readonly service: Service;
  readonly discovery: string;
  readonly right: EtcdNode;
}

interface Mistake {
  readonly name: string;
  /** What is wrong with the node; the rest is right. */
  wrong(situation: Situation): Promise<Partial<NodeSetup>> | Partial<NodeSetup>;
  /** What the node's own log must say. */
  words(situation: Situation): string[];
}

// etcd's own next line advises a new token, whatever the reason was.
const GOOD = 'the token is still good';

const MISTAKES: readonly Mistake[] = [
  {
    name: 'the name of another node',
    wrong: () => ({ name: 'infra1' }),
    words: ({ right }) => ["'infra1' is taken", ...right.peerUrls, 'another --name', GOOD],
  },
  {
    name: 'the peer URL of another node',
    // etcd makes the member's id from the peer URLs, so this one brings the id of the right node.
    wrong: ({ right }) => ({ advertisedPeerUrls: right.peerUrls }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls', GOOD],
  },
  {
    name: 'one peer URL of its own and one of another node',
    wrong: ({ right }) => ({ advertisedPeerUrls: ['http://127.0.0.1:9', ...right.peerUrls] }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls', GOOD],
  },
  {
    // etcd makes the cluster's id from the text: with two of them no cluster ever forms.
    name: 'a slash at the end of its discovery URL',
    wrong: ({ discovery }) => ({ discovery: `${discovery}/` }),
    words: ({ discovery }) => [
      `--discovery '${discovery}/'`,
      `'infra1' with --discovery '${discovery}'`,
      GOOD,
    ],
  },
  {
    name: "another name of the service's host in its discovery URL",
    wrong: ({ discovery }) => ({ discovery: discovery.replace('127.0.0.1', 'localhost') }),
    words: ({ discovery }) => ["--discovery 'http://localhost:", `--discovery '${discovery}'`, GOOD],
  },
  {
    name: 'a peer URL that no other node can reach',
    wrong: () => ({ advertisedPeerUrls: ['http://0.0.0.0:9'] }),
    words: () => ['http://0.0.0.0:9', 'listen', '--initial-advertise-peer-urls', GOOD],
  },
  {
    name: 'a name that discovery cannot carry',
    wrong: () => ({ name: 'infra=2' }),
    words: () => ['infra=2', 'equals sign', '--name', GOOD],
  },
  {
    name: 'a token that nobody made',
    wrong: ({ service }) => ({ discovery: `${service.url}/00112233445566778899aabbccddeeff` }),
    words: () => ['no such token', '/new?size=3'],
  },
  {
    name: 'a malformed token',
    wrong: ({ service }) => ({ discovery: `${service.url}/_half` }),
    words: () => ['must not start with _', '/new?size=3'],
  },
  {
    name: 'no token at all',
    wrong: ({ service }) => ({ discovery: service.url }),
    words: () => ['the URL has no token', '/new?size=3'],
  },
  {
    name: 'a deleted token',
    wrong: async ({ service }) => {
      const token = await service.createToken({ size: 2 });
      await service.call('DeleteToken', { token });
      return { discovery: `${service.url}/${token}` };
    },
    words: () => ['the token was deleted', '/new?size=2'],
  },
];

await forEachEtcd((it) => {
  for (const mistake of MISTAKES) {
    it(`a node with ${mistake.name} is told so, and the others form their cluster`, async (scene, etcd) => {
      const service = await Service.start(scene);
      const discovery = await service.newDiscoveryUrl(2);
      const right = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
      await right.waitUntilWaiting();

      const situation: Situation = { service, discovery, right };
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
    await expectRefusal(scene, node, ['the token was deleted', '/new?size=2']);
  });

  it.slow(
    'a node that lost its data is not let into its complete cluster as a new one',
    async (scene, etcd) => {
      const service = await Service.start(scene);
      const token = await service.createToken({ size: 3 });
      const nodes = await startNodes(scene, { etcd, discovery: `${service.url}/${token}` }, 3);
      await expectCluster(scene, nodes);
      const [lost, ...others] = nodes;
      assert.ok(lost !== undefined);
      await scene.until('the time for a lost reply to be over', () => isRejoinRefused(service, token));

      await lost.crash();
      await lost.loseData();
      lost.startAgain();
      await expectRefusal(scene, lost, [
        'the cluster is complete and this node is already a member',
        'etcdctl member remove',
      ]);
      await expectHealthy(scene, others);
    },
  );

  it('a node whose token expires while it waits is told so, and so is one that comes later', async (scene, etcd) => {
    const service = await Service.start(scene, ['--min-ttl', '1s']);
    // Enough for the first node to be waiting; were the machine too slow for that, it is told as the late one.
    const token = await service.createToken({ size: 2, ttl: '4s' });
    const expiring = `${service.url}/${token}`;
    const early = await EtcdNode.start(scene, { etcd, discovery: expiring, name: 'infra1' });
    await expectRefusal(scene, early, ['the token expired', '/new?size=2']);
    const late = await EtcdNode.start(scene, { etcd, discovery: expiring, name: 'infra2' });
    await expectRefusal(scene, late, ['the token expired', '/new?size=2']);

    const discovery = await service.newDiscoveryUrl(2);
    await expectCluster(scene, await startNodes(scene, { etcd, discovery }, 2));
  });
});

/** True once every member of the complete cluster that registers again, as it did, is refused. */
async function isRejoinRefused(service: Service, token: string): Promise<true | undefined> {
  const { members } = (await service.call('ListMembers', { token })) as { members: RegisteredMember[] };
  // The time runs from a member's own registration, so the one that came last is refused last.
  const member = members.at(-1);
  assert.ok(member !== undefined);
  const { status, text } = await service.post('Register', {
    token,
    memberId: member.id,
    name: member.name,
    peerUrls: member.peerUrls,
  });
  if (status === 200) return undefined;
  assert.match(text, /"failed_precondition"/);
  return true;
}

interface RegisteredMember {
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** Waits until the node has ended, refused in these words. */
async function expectRefusal(scene: Scene, node: EtcdNode, words: readonly string[]): Promise<void> {
  const { code } = await scene.waitForEnd(node.run);
  assert.equal(code, 1, `exit code${node.run.describe()}`);
  const reason = /failed to join discovery cluster \(\d+: (.*) \[\d+\]\)/.exec(node.run.log)?.[1];
  assert.ok(reason !== undefined, `its log holds a refusal of the service${node.run.describe()}`);
  for (const word of words) {
    assert.ok(reason.includes(word), `the log says ${word}: ${reason}`);
  }
}
