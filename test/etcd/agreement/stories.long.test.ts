import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackingEtcd } from '../harness/backing.ts';
import { expectCluster, expectHealthy, peerUrlsKnownTo } from '../harness/cluster.ts';
import { EtcdNode, type NodeSetup } from '../harness/node.ts';
import { freePorts } from '../harness/ports.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { type Etcd, etcdOf, forEachEtcd, installedEtcd } from '../harness/versions.ts';

// How one token could become two clusters, or one that never forms, with real nodes. See "One token, one cluster" in
// docs/concepts/agreement.md.

const MAIN = fileURLToPath(new URL('../../../src/main.cjs', import.meta.url));

/** The discovery service in a story: the URL for nodes, the URL for operators, and what happens halfway. */
interface Stage {
  readonly nodes: Service;
  readonly operators: Service;
  interrupt(): Promise<void>;
}

async function embedded(scene: Scene, flags: readonly string[] = []): Promise<Stage> {
  const service = await Service.start(scene, flags);
  return { nodes: service, operators: service, interrupt: async () => {} };
}

async function restarted(scene: Scene): Promise<Stage> {
  const stage = await embedded(scene);
  return { ...stage, interrupt: () => killAndStart(stage.nodes) };
}

async function killAndStart(service: Service): Promise<void> {
  await service.stop('SIGKILL');
  await service.startAgain();
}

async function replicas(scene: Scene): Promise<Stage> {
  const installed = await installedEtcd();
  const etcd = installed.missing === undefined ? installed : await etcdOf('3.7');
  const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
  const store = ['--etcd', backing.endpoints];
  const nodes = await Service.start(scene, [], { name: 'replica 1', store });
  const operators = await Service.start(scene, [], { name: 'replica 2', store });
  return { nodes, operators, interrupt: () => killAndStart(nodes) };
}

const STAGES = {
  'the embedded store': embedded,
  'the embedded store, and a restart in between': restarted,
  'two replicas over etcd, one killed in between': replicas,
} as const;

type Dialect = 'V2' | 'V3' | 'MIXED';

/** Returns the discovery setting of the node with this number. Mixed nodes share one token in both dialects. */
function discoveryOf(
  dialect: Dialect,
  service: Service,
  token: string,
  number: number,
): NodeSetup['discovery'] {
  const url = `${service.url}/${token}`;
  const endpoints = [service.url];
  if (dialect === 'V2') return url;
  if (dialect === 'V3') return { token, endpoints };
  return number % 2 === 1 ? url : { token: url, endpoints };
}

/** A token and the nodes that are started with it. */
class Group {
  readonly #scene: Scene;
  readonly #etcd: Etcd;
  readonly #dialect: Dialect;
  readonly stage: Stage;
  readonly token: string;

  private constructor(scene: Scene, etcd: Etcd, dialect: Dialect, stage: Stage, token: string) {
    this.#scene = scene;
    this.#etcd = etcd;
    this.#dialect = dialect;
    this.stage = stage;
    this.token = token;
  }

  static async make(scene: Scene, etcd: Etcd, dialect: Dialect, stage: Stage, size: number): Promise<Group> {
    return new Group(scene, etcd, dialect, stage, await stage.operators.createToken({ size }));
  }

  /** Starts infraN and waits until it is registered. */
  async start(number: number, more: Partial<NodeSetup> = {}): Promise<EtcdNode> {
    const node = await this.begin(number, more);
    await this.#scene.until(`${node.name} to register`, async () =>
      (await this.memberId(node)) === undefined ? undefined : true,
    );
    return node;
  }

  begin(number: number, more: Partial<NodeSetup> = {}): Promise<EtcdNode> {
    const discovery = discoveryOf(this.#dialect, this.stage.nodes, this.token, number);
    return EtcdNode.start(this.#scene, { etcd: this.#etcd, name: `infra${number}`, discovery, ...more });
  }

  async memberId(node: EtcdNode): Promise<string | undefined> {
    const { members = [] } = (await this.call('ListMembers', {})) as {
      members?: ReadonlyArray<{ id: string; name: string; peerUrls: readonly string[] }>;
    };
    return members.find(
      ({ name, peerUrls }) => name === node.name && peerUrls.join() === node.peerUrls.join(),
    )?.id;
  }

  call(method: string, request: object): Promise<Record<string, unknown>> {
    return this.stage.operators.call(method, { token: this.token, ...request });
  }

  /** Fails unless the call is rejected for this reason. */
  async refused(reason: string, method: string, request: object): Promise<void> {
    const { status, text } = await this.stage.operators.post(method, { token: this.token, ...request });
    assert.notEqual(status, 200, text);
    assert.ok(text.includes(reason), text);
  }
}

/** Waits until a node's log contains all of the words, whether it ends or retries. */
async function expectWords(scene: Scene, node: EtcdNode, words: readonly string[]): Promise<void> {
  await scene.until(`${node.name} to say ${words.join(' and ')}`, () =>
    words.every((each) => node.run.log.includes(each)) ? true : undefined,
  );
}

type Story = (scene: Scene, etcd: Etcd, dialect: Dialect, stage: Stage) => Promise<void>;

const STORIES: Readonly<Record<string, Story>> = {
  'when a member is removed while others wait, the remaining and new nodes form one cluster': async (
    scene,
    etcd,
    dialect,
    stage,
  ) => {
    const group = await Group.make(scene, etcd, dialect, stage, 3);
    const a = await group.start(1);
    const b = await group.start(2);
    await a.waitUntilWaiting();
    await b.waitUntilWaiting();
    await group.call('Deregister', { memberId: await group.memberId(b) });
    await stage.interrupt();
    const c = await group.start(3);
    const d = await group.start(4);
    await expectCluster(scene, [a, c, d]);
  },

  "when a waiting member's address is replaced, all nodes use the new one": async (
    scene,
    etcd,
    dialect,
    stage,
  ) => {
    const group = await Group.make(scene, etcd, dialect, stage, 3);
    const a = await group.start(1);
    const b = await group.start(2);
    await a.waitUntilWaiting();
    const memberId = await group.memberId(b);
    await b.crash();
    const [port = 0] = await freePorts(1);
    const moved = `http://127.0.0.1:${port}`;
    const mode = 'REGISTER_MODE_REPLACE';
    await group.call('Register', { memberId, name: 'infra2', peerUrls: [moved], mode });
    await stage.interrupt();
    const c = await group.start(3);
    // Two of three form a quorum.
    await expectHealthy(scene, [a, c]);
    for (const node of [a, c]) {
      const known = await peerUrlsKnownTo(node);
      assert.deepEqual(known, [...a.peerUrls, moved, ...c.peerUrls].sort());
    }
  },

  'a complete cluster is final: no member is removed or replaced by another': async (
    scene,
    etcd,
    dialect,
    stage,
  ) => {
    const group = await Group.make(scene, etcd, dialect, stage, 2);
    const a = await group.start(1);
    const b = await group.start(2);
    await expectCluster(scene, [a, b]);
    await stage.interrupt();
    const memberId = await group.memberId(b);
    await group.refused('CLUSTER_FORMED', 'Deregister', { memberId });
    const change = { memberId, name: 'infra2', peerUrls: ['http://10.9.9.9:2380'] };
    await group.refused('CLUSTER_FORMED', 'Register', { ...change, mode: 'REGISTER_MODE_REPLACE' });
    const late = await group.begin(3);
    await expectWords(scene, late, ['full']);
    await expectCluster(scene, [a, b]);
  },
};

/** Stories on the embedded store only. */
const MORE: Readonly<Record<string, (scene: Scene, etcd: Etcd, dialect: Dialect) => Promise<void>>> = {
  'a restored backup without the last member closes its token and tells the nodes': async (
    scene,
    etcd,
    dialect,
  ) => {
    const stage = await embedded(scene);
    const group = await Group.make(scene, etcd, dialect, stage, 2);
    const a = await group.start(1);
    const [file, data] = [join(scene.directory, 'backup.mdb'), join(scene.directory, 'service')];
    await command(scene, 'backup', file, '--data-dir', data);
    const b = await group.start(2);
    await expectCluster(scene, [a, b]);
    await stage.nodes.stop('SIGTERM');
    await command(scene, 'restore', file, '--data-dir', data, '--replace');
    await stage.nodes.startAgain();
    const late = await group.begin(3);
    await expectWords(scene, late, ['restored from a backup']);
    await expectCluster(scene, [a, b]);
  },

  'a token that expired after its cluster formed directs late nodes to that cluster': async (
    scene,
    etcd,
    dialect,
  ) => {
    const stage = await embedded(scene, ['--min-ttl', '1s']);
    const group = await Group.make(scene, etcd, dialect, stage, 1);
    const a = await group.start(1);
    await expectCluster(scene, [a]);
    await group.call('ReopenToken', { ttl: '1s' });
    await scene.until('the token to expire', async () => {
      const { text } = await stage.operators.post('ListMembers', { token: group.token, refuseExpired: true });
      return text.includes('TOKEN_EXPIRED') ? true : undefined;
    });
    const late = await group.begin(2);
    await expectWords(scene, late, ['etcdctl member add']);
    assert.ok(!late.run.log.includes('create a new one'), late.run.log);
  },

  'a node with an unreachable address is rejected, and the others form their cluster': async (
    scene,
    etcd,
    dialect,
  ) => {
    const stage = await embedded(scene);
    const group = await Group.make(scene, etcd, dialect, stage, 2);
    const a = await group.start(1);
    const wrong = await group.begin(2, { advertisedPeerUrls: ['http://0.0.0.0:2380'] });
    await expectWords(scene, wrong, ['http://0.0.0.0:2380', '--initial-advertise-peer-urls']);
    await wrong.crash();
    const b = await group.start(2);
    await expectCluster(scene, [a, b]);
  },
};

async function command(scene: Scene, ...args: readonly string[]): Promise<void> {
  const run = scene.run(`etcd-discovery ${args[0]}`, process.execPath, [MAIN, ...args]);
  const { code } = await scene.waitForEnd(run);
  assert.equal(code, 0, run.log);
}

for (const dialect of ['V2', 'V3'] as const) {
  await forEachEtcd((it) => {
    for (const [name, story] of Object.entries(STORIES)) {
      for (const [where, stage] of Object.entries(STAGES)) {
        const title = `${dialect}, ${where}: ${name}`;
        const play = async (scene: Scene, etcd: Etcd): Promise<void> =>
          story(scene, etcd, dialect, await stage(scene));
        if (stage === embedded) it(title, play);
        else it.slow(title, play);
      }
    }
    for (const [name, story] of Object.entries(MORE)) {
      it(`${dialect}: ${name}`, (scene, etcd) => story(scene, etcd, dialect));
    }
  }, dialect);
}

await forEachEtcd((it) => {
  for (const [name, story] of Object.entries(STORIES)) {
    it.slow(`one token in both dialects: ${name}`, async (scene, etcd) => {
      await story(scene, etcd, 'MIXED', await embedded(scene));
    });
  }
}, 'BOTH');
