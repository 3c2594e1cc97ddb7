import { join } from 'node:path';
import type { Ports } from '../servers/bare-connect.ts';
import type { RecordedReply } from '../servers/bare-node.ts';
import {
  launchService,
  type StoreKind,
  startBareHttp2,
  startBareNode,
  startEtcdIfBuilt,
  startGoService,
} from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { type CallsRow, type Contender, type Course, type NamedContender, rowOf } from './call-rows.ts';
import { copyFixture, copyFixtureToEtcd, makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import { inTurn, runSlot, type Slot, type Timing } from './slot.ts';

const ETCD_PATH = '/etcdserverpb.';
const MOST_AT_GO = 256;

export interface CallsPlan {
  readonly rounds: number;
  /** How to measure each operation on each server in each round. */
  readonly slots: readonly Timing[];
  /** How to warm up each operation on each server before all rounds. */
  readonly warmUp: Timing;
  readonly wanted: readonly OperationName[];
  readonly store: StoreKind;
  /** A prefix for the names of operations on another store than the rest. */
  readonly prefix: string;
}

/** Measures calls of every kind on the service and its rivals: one after the other, round after round. */
export async function measureCalls(
  plan: CallsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly CallsRow[]> {
  progress('starting the servers');
  const [service, bareNode, bareHttp2, go, etcd] = await Promise.all([
    launchService(join(dataDir, 'calls'), plan),
    startBareNode(),
    startBareHttp2(),
    startGoService(join(dataDir, 'go')),
    startEtcdIfBuilt(join(dataDir, 'etcd')),
  ]);
  const bareConnect = new Child('bare connect-node', 'servers/bare-connect.js');
  const load = new Child('the load generator', 'load/main.js');
  const fixture = await makeFixture(service.port);
  if (go !== undefined) await copyFixture(fixture, service.port, go.etcdPort);
  if (etcd !== undefined) await copyFixtureToEtcd(fixture, service.port, etcd.port);
  const messages = await sampleMessages(service.port, fixture);
  const ports = (await bareConnect.ask('listen', messages)) as Ports;

  const connectNode = (port: number): Contender => ({ usage: () => bareConnect.usage(), port, slots: [] });
  const node = (reply: RecordedReply): Contender => ({
    usage: bareNode.usage,
    port: bareNode.port,
    prepare: () => bareNode.child.ask('reply', reply),
    slots: [],
  });
  const rivalsOf = ({ name, reply, answer, grpcPath }: Operation, { inFlight }: Timing): NamedContender[] => {
    const rivals: NamedContender[] = [];
    if (reply !== undefined && isRpc(name)) rivals.push({ name: 'bare Node HTTP', ...node(reply) });
    if (answer !== undefined) {
      const prepare = () => bareHttp2.child.ask('reply', answer);
      rivals.push({
        name: 'bare node:http2',
        usage: bareHttp2.usage,
        port: bareHttp2.port,
        prepare,
        slots: [],
      });
    }
    if (etcd !== undefined && grpcPath?.startsWith(ETCD_PATH)) {
      rivals.push({ name: 'plain etcd', usage: etcd.usage, port: etcd.port, slots: [] });
    }
    // Above a few hundred concurrent calls, it only returns errors of its etcd.
    if (go !== undefined && reply !== undefined && !isRpc(name) && inFlight <= MOST_AT_GO) {
      rivals.push({ name: 'Go service', usage: go.usage, port: go.port, tokensAt: go.etcdPort, slots: [] });
    }
    return rivals;
  };
  const courseOf = (operation: Operation, timing: Timing): Course => {
    const { name, reply, grpcPath } = operation;
    const { usage, port } = service;
    return {
      name: plan.prefix + name,
      operation,
      timing,
      ...(reply === undefined || isRpc(name)
        ? {
            baselineName: 'bare connect-node',
            baseline: connectNode(grpcPath === undefined ? ports.http1 : ports.http2),
          }
        : { baselineName: 'bare Node HTTP', baseline: node(reply) }),
      service: { usage, port, tokensAt: port, slots: [] },
      rivals: rivalsOf(operation, timing),
    };
  };
  const byOperation = (await operations(service.port, fixture, messages))
    .filter(({ name }) => plan.wanted.includes(name))
    .map((operation) => plan.slots.map((timing) => courseOf(operation, timing)));
  const courses = byOperation.flat();

  const slot = async ({ operation, timing }: Course, target: Contender, as = timing): Promise<Slot> => {
    await target.prepare?.();
    const { requests, grpcPath } = operation;
    return runSlot(load, target, requests, as, { last: target.slots.at(-1), grpcPath });
  };

  for (const [index, [course]] of byOperation.entries()) {
    if (course === undefined) continue;
    progress(`warming up ${index + 1}/${byOperation.length}: ${course.name}`);
    for (const target of contendersOf(course)) await slot(course, target, plan.warmUp);
  }
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const [index, course] of courses.entries()) {
      progress(`round ${round}/${plan.rounds}, ${index + 1}/${courses.length}: ${course.name}`);
      for (const target of inTurn(contendersOf(course), round)) target.slots.push(await slot(course, target));
    }
  }
  await Promise.all(
    [service, bareNode, bareHttp2, bareConnect, load, go, etcd].map(async (server) => server?.stop()),
  );
  return courses.map(rowOf);
}

function contendersOf({ baseline, service, rivals }: Course): Contender[] {
  return [baseline, service, ...rivals];
}

/** Whether a call is of the API or of etcd's v3 dialect, which connect-node could serve as well. */
function isRpc(name: OperationName): boolean {
  return /^(Connect|gRPC|v3)/.test(name);
}
