import assert from 'node:assert/strict';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { expectCluster } from '../etcd/harness/cluster.ts';
import { EtcdNode, startNodes } from '../etcd/harness/node.ts';
import type { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { TcpProxy } from '../etcd/harness/tcp-proxy.ts';
import type { Etcd } from '../etcd/harness/versions.ts';
import { check } from './check.ts';
import { Workload } from './workload.ts';

/** Enough to show that everything works, before and after a fault. */
const REGISTRATIONS = 15;

export interface Programs {
  readonly backing: Etcd;
  readonly members: 1 | 3;
  /** Nodes with `--discovery` and nodes with `--discovery-token`. */
  readonly v2: Etcd;
  readonly v3: Etcd | undefined;
}

/** Breaks something, and resolves with a function that repairs it. */
export type Fault = (stage: Stage) => Promise<() => Promise<void> | void>;

/** Two replicas of the service behind a balancer, over one etcd. */
export interface Stage {
  readonly scene: Scene;
  readonly backing: BackingEtcd;
  readonly replicas: readonly [Service, Service];
  readonly balancer: TcpProxy;
}

export async function openStage(scene: Scene, { backing: etcd, members }: Programs): Promise<Stage> {
  const backing = await BackingEtcd.start(scene, { etcd, members });
  const start = (name: string): Promise<Service> =>
    Service.start(scene, [], { name, store: ['--etcd', backing.endpoints] });
  const replicas = [await start('replica A'), await start('replica B')] as const;
  const balancer = await TcpProxy.open(scene, ...replicas.map(({ url }) => url));
  return { scene, backing, replicas, balancer };
}

/**
 * Forms a cluster of each dialect through the balancer while clients work at both replicas: two nodes of each wait, the
 * fault begins, the third nodes start, the fault ends. Fails unless every cluster forms and the history of the clients
 * is correct.
 */
export async function bootstrapDuring(
  stage: Stage,
  programs: Programs,
  fault: Fault,
  seed: number,
): Promise<void> {
  const { scene, balancer, replicas } = stage;
  const workload = new Workload(seed, [balancer.url, ...replicas.map(({ url }) => url)]).start();
  scene.after(() => workload.end());
  await workload.progress(REGISTRATIONS);
  const clusters = [await begin(stage, programs.v2, 'V2')];
  if (programs.v3 !== undefined) clusters.push(await begin(stage, programs.v3, 'V3'));

  const heal = await fault(stage);
  for (const cluster of clusters) await cluster.addThird();
  await heal();
  for (const { nodes } of clusters) await expectCluster(scene, nodes);
  await workload.progress(REGISTRATIONS);

  const problems = check(await workload.stop());
  console.log(workload.describe());
  assert.deepEqual(problems, []);
  assert.equal(workload.silent, 0, 'a service that cannot serve returns errors');
  for (const { run } of replicas) {
    assert.equal(run.ending, undefined, 'no replica exits');
    assert.doesNotMatch(run.log, /"level":"(error|fatal)"|a defect/);
  }
}

interface Cluster {
  readonly nodes: EtcdNode[];
  addThird(): Promise<void>;
}

/** Starts two nodes of a cluster of three, which wait for the third. */
async function begin({ scene, balancer }: Stage, etcd: Etcd, dialect: 'V2' | 'V3'): Promise<Cluster> {
  const answer = await fetch(`${balancer.url}/new?size=3`, { method: 'POST' });
  const url = await answer.text();
  assert.equal(answer.status, 200, url);
  const discovery =
    dialect === 'V2' ? url : { token: new URL(url).pathname.slice(1), endpoints: [balancer.url] };
  const nodes = await startNodes(scene, { etcd, discovery }, 2);
  await Promise.all(nodes.map((node) => node.waitUntilWaiting()));
  return {
    nodes,
    async addThird() {
      nodes.push(await EtcdNode.start(scene, { etcd, discovery, name: 'infra3' }));
    },
  };
}
