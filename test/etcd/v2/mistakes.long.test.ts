import assert from 'node:assert/strict';
import { expectCluster, expectHealthy } from '../harness/cluster.ts';
import { EtcdNode, type NodeSetup, startNodes } from '../harness/node.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

/** The surroundings of a misconfigured node: a service, and a correct node that waits for one more. */
interface Situation {
  readonly service: Service;
  readonly discovery: string;
  readonly right: EtcdNode;
}

interface Mistake {
  readonly name: string;
  /** Returns the wrong part of the node's setup. */
  wrong(situation: Situation): Promise<Partial<NodeSetup>> | Partial<NodeSetup>;
  /** Returns what the node's own log must contain. */
  words(situation: Situation): string[];
}

// etcd's own next line advises a new token, whatever the reason was.
const GOOD = 'the token is still valid';

const MISTAKES: readonly Mistake[] = [
  {
    name: 'the name of another node',
    wrong: () => ({ name: 'infra1' }),
    words: ({ right }) => ["'infra1' is taken", ...right.peerUrls, 'a different --name', GOOD],
  },
  {
    name: 'the peer URL of another node',
    // etcd derives the member's id from the peer URLs, so this node has the id of the correct one.
    wrong: ({ right }) => ({ advertisedPeerUrls: right.peerUrls }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls', GOOD],
  },
  {
    name: 'one peer URL of its own and one of another node',
    wrong: ({ right }) => ({ advertisedPeerUrls: ['http://127.0.0.1:9', ...right.peerUrls] }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls', GOOD],
  },
  {
    // etcd derives the cluster's id from the text: with two different texts no cluster ever forms.
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
    name: 'an unknown token',
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
    it(`a node with ${mistake.name} gets an error, and the others form their cluster`, async (scene, etcd) => {
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

  it('a waiting node learns that its token was deleted', async (scene, etcd) => {
    const service = await Service.start(scene);
    const token = await service.createToken({ size: 2 });
    const discovery = `${service.url}/${token}`;
    const node = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await node.waitUntilWaiting();
    await service.call('DeleteToken', { token });
    await expectRefusal(scene, node, ['the token was deleted', '/new?size=2']);
  });

  it.slow(
    'a node that lost its data cannot join its complete cluster as a new member',
    async (scene, etcd) => {
      const service = await Service.start(scene);
      const token = await service.createToken({ size: 3 });
      const nodes = await startNodes(scene, { etcd, discovery: `${service.url}/${token}` }, 3);
      await expectCluster(scene, nodes);
      const [lost, ...others] = nodes;
      assert.ok(lost !== undefined);
      await scene.until('the grace period for a lost response to end', () => isRejoinRefused(service, token));

      await lost.crash();
      await lost.loseData();
      lost.startAgain();
      await expectRefusal(scene, lost, [
        'this node is already a member of the complete cluster',
        'etcdctl member remove',
      ]);
      await expectHealthy(scene, others);
    },
  );

  it('a node whose token expires while it waits gets an error, and so does a later one', async (scene, etcd) => {
    const service = await Service.start(scene, ['--min-ttl', '1s']);
    // Long enough for the first node to wait. On a machine too slow for that, it gets the same error as the late one.
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

/** Returns true once the complete cluster rejects a repeated registration of every member. */
async function isRejoinRefused(service: Service, token: string): Promise<true | undefined> {
  const { members } = (await service.call('ListMembers', { token })) as { members: RegisteredMember[] };
  // The time starts at a member's own registration, so the last member is rejected last.
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

/** Waits until the node has ended with a rejection that contains these words. */
async function expectRefusal(scene: Scene, node: EtcdNode, words: readonly string[]): Promise<void> {
  const { code } = await scene.waitForEnd(node.run);
  assert.equal(code, 1, `exit code${node.run.describe()}`);
  const reason = /failed to join discovery cluster \(\d+: (.*) \[\d+\]\)/.exec(node.run.log)?.[1];
  assert.ok(reason !== undefined, `its log contains a rejection by the service${node.run.describe()}`);
  for (const word of words) {
    assert.ok(reason.includes(word), `the log contains ${word}: ${reason}`);
  }
}
