import assert from 'node:assert/strict';
import { expectCluster } from '../harness/cluster.ts';
import { EtcdNode, type NodeSetup, type TokenDiscovery } from '../harness/node.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { forEachEtcd } from '../harness/versions.ts';

/** The surroundings of a misconfigured node: a service, and a correct node that waits for one more. */
interface Situation {
  readonly scene: Scene;
  readonly service: Service;
  readonly token: string;
  readonly right: EtcdNode;
}

interface Mistake {
  readonly name: string;
  /** Returns the wrong part of the node's setup. */
  wrong(situation: Situation): Promise<Partial<NodeSetup>> | Partial<NodeSetup>;
  /** Returns what the node's own log must contain. */
  words(situation: Situation): string[];
}

const withToken = (service: Service, token: string): { discovery: TokenDiscovery } => ({
  discovery: { token, endpoints: [service.url] },
});

/** The service rejects these and the node keeps trying, because the mistake may still be corrected. */
const REFUSED: readonly Mistake[] = [
  {
    name: 'the name of another node',
    wrong: () => ({ name: 'infra1' }),
    words: ({ right }) => [
      "the name 'infra1' is taken by the member at",
      ...right.peerUrls,
      'a different --name',
    ],
  },
  {
    name: 'the peer URL of another node',
    // etcd derives the member's id from the peer URLs, so this node has the id of the correct one.
    wrong: ({ right }) => ({ advertisedPeerUrls: right.peerUrls }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls'],
  },
  {
    name: 'one peer URL of its own and one of another node',
    wrong: ({ right }) => ({ advertisedPeerUrls: ['http://127.0.0.1:9', ...right.peerUrls] }),
    words: ({ right }) => [...right.peerUrls, "'infra1'", '--initial-advertise-peer-urls'],
  },
  {
    // etcd derives the cluster's id from the text: with two different texts no cluster ever forms.
    name: 'a slash at the end of its token',
    wrong: ({ service, token }) => withToken(service, `${token}/`),
    words: ({ token }) => [`--discovery-token '${token}/'`, `'infra1' with --discovery-token '${token}'`],
  },
  {
    name: 'the URL of the token in place of the token',
    wrong: ({ service, token }) => withToken(service, `${service.url}/${token}`),
    words: ({ service, token }) => [`${service.url}/${token}`, `'infra1' with --discovery-token '${token}'`],
  },
  {
    name: 'a name that discovery cannot carry',
    wrong: () => ({ name: 'infra=2' }),
    words: () => ['infra=2', 'equals sign', '--name'],
  },
  {
    name: 'a malformed token',
    wrong: ({ service }) => withToken(service, '_half'),
    words: () => ['must not start with _'],
  },
  {
    name: 'a deleted token',
    wrong: async ({ service }) => {
      const token = await service.createToken({ size: 2 });
      await service.call('DeleteToken', { token });
      return withToken(service, token);
    },
    words: () => ['the token was deleted', 'create a new one'],
  },
  {
    name: 'an expired token',
    wrong: async ({ scene, service }) => {
      const token = await service.createToken({ size: 2, ttl: '1s' });
      await scene.until('the token to expire', async () => {
        const { text } = await service.post('ListMembers', { token, refuseExpired: true });
        return text.includes('the token expired') ? true : undefined;
      });
      return withToken(service, token);
    },
    words: () => ['the token expired', 'create a new one'],
  },
];

/** A node detects these itself, and ends. */
const FINAL: readonly Mistake[] = [
  {
    name: 'an unknown token',
    wrong: ({ service }) => withToken(service, '00112233445566778899aabbccddeeff'),
    words: () => ['discovery: size key not found'],
  },
  {
    name: 'the token of a complete cluster',
    wrong: async ({ service }) => {
      const token = await service.createToken({ size: 1 });
      const peerUrls = ['http://127.0.0.1:9'];
      await service.call('Register', { token, memberId: '9', name: 'infra9', peerUrls });
      return withToken(service, token);
    },
    words: () => ['discovery: cluster is full'],
  },
];

await forEachEtcd((it) => {
  for (const mistake of [...REFUSED, ...FINAL]) {
    it(`a node with ${mistake.name} gets an error, and the others form their cluster`, async (scene, etcd) => {
      const service = await Service.start(scene, ['--min-ttl', '1s']);
      const discovery = await service.newTokenDiscovery(2);
      const right = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
      await right.waitUntilWaiting();

      const situation: Situation = { scene, service, token: discovery.token, right };
      const setup = { etcd, discovery, name: 'infra2', ...(await mistake.wrong(situation)) };
      const wrong = await EtcdNode.start(scene, setup);
      const words = mistake.words(situation);
      if (FINAL.includes(mistake)) await expectEnd(scene, wrong, words);
      else await expectRefusal(scene, wrong, words);

      const second = await EtcdNode.start(scene, { etcd, discovery, name: 'infra2' });
      await expectCluster(scene, [right, second]);
    });
  }

  it('a waiting node learns that its token was deleted, and waits quietly', async (scene, etcd) => {
    const service = await Service.start(scene);
    const discovery = await service.newTokenDiscovery(2);
    const node = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await node.waitUntilWaiting();
    await service.call('DeleteToken', { token: discovery.token });
    await expectLastWord(scene, service, node, 'the token was deleted');
  });

  it('a waiting node learns that its token expired, and waits quietly', async (scene, etcd) => {
    const service = await Service.start(scene, ['--min-ttl', '1s']);
    // Long enough for the node to wait. On a machine too slow for that, it is rejected with the same words.
    const token = await service.createToken({ size: 2, ttl: '4s' });
    const { discovery } = withToken(service, token);
    const node = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await expectLastWord(scene, service, node, 'the token expired');
  });
}, 'V3');

/** Waits until the node has logged a rejection that contains these words. The node keeps trying. */
async function expectRefusal(scene: Scene, node: EtcdNode, words: readonly string[]): Promise<void> {
  // A first attempt that timed out at the node does not count.
  const refusal = /rpc error: code = (?!DeadlineExceeded)\w+ desc = /;
  await scene.waitForLog(node.run, refusal);
  await scene.waitForLog(node.run, /retry connecting to discovery service/);
  const refusals = node.run.log.split('\n').filter((line) => refusal.test(line));
  for (const word of words) {
    assert.ok(refusals[0]?.includes(word), `the log contains ${word}: ${refusals[0]}`);
  }
  assert.equal(node.run.ending, undefined);
}

/** Waits until the node has ended for the reason with these words. */
async function expectEnd(scene: Scene, node: EtcdNode, words: readonly string[]): Promise<void> {
  const { code } = await scene.waitForEnd(node.run);
  assert.equal(code, 1, `exit code${node.run.describe()}`);
  for (const word of words) assert.ok(node.run.log.includes(word), `the log contains ${word}`);
}

/** Waits until the node has logged why its wait ended, and asserts that it does not wait again. */
async function expectLastWord(scene: Scene, service: Service, node: EtcdNode, words: string): Promise<void> {
  await scene.waitForLog(node.run, new RegExp(`"(memberInfo|error)":"[^"]*${words}`));
  // A node that starts a new wait does so at once: a hundred times while another node forms a cluster.
  const discovery = await service.newTokenDiscovery(1);
  const other = await EtcdNode.start(scene, { etcd: node.etcd, discovery, name: 'infra9' });
  await expectCluster(scene, [other]);
  const waits = node.run.log.match(/waiting for peers/g) ?? [];
  assert.ok(waits.length <= 1, `it started to wait ${waits.length} times`);
  assert.equal(node.run.ending, undefined, 'it waits');
}
