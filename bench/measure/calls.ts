import { join } from 'node:path';
import type { Ports } from '../servers/bare-connect.ts';
import { launchService, type StoreKind, startBareNode, startGoService } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { type CallsRow, type Contender, type Course, rowOf } from './call-rows.ts';
import { copyFixture, makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import { inTurn, runSlot, type Slot, type Timing } from './slot.ts';

export interface CallsPlan {
  readonly rounds: number;
  /** How each operation is measured on each server in each round. */
  readonly slots: readonly Timing[];
  /** How each operation warms up on each server before all rounds. */
  readonly warmUp: Timing;
  readonly wanted: readonly OperationName[];
  readonly store: StoreKind;
  /** Before the name of each operation, where the store is not that of the rest. */
  readonly prefix: string;
}

/** Calls of every kind on the service and its rivals: one after the other, round after round. */
export async function measureCalls(
  plan: CallsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly CallsRow[]> {
  progress('starting the servers');
  const [service, bareNode, go] = await Promise.all([
    launchService(join(dataDir, 'calls'), plan),
    startBareNode(),
    startGoService(join(dataDir, 'go')),
  ]);
  const bareConnect = new Child('bare connect-node', 'servers/bare-connect.js');
  const load = new Child('the load generator', 'load/main.js');
  const fixture = await makeFixture(service.port);
  if (go !== undefined) await copyFixture(fixture, service.port, go.etcdPort);
  const ports = (await bareConnect.ask('listen', await sampleMessages(service.port, fixture))) as Ports;

  const courseOf = (operation: Operation, timing: Timing): Course => {
    const { reply, grpcPath } = operation;
    const { usage, port } = service;
    return {
      name: plan.prefix + operation.name,
      operation,
      timing,
      ...(reply === undefined
        ? {
            baselineName: 'bare connect-node',
            baseline: {
              usage: () => bareConnect.usage(),
              port: grpcPath === undefined ? ports.http1 : ports.http2,
              slots: [],
            },
          }
        : {
            baselineName: 'bare Node HTTP',
            baseline: {
              usage: bareNode.usage,
              port: bareNode.port,
              prepare: () => bareNode.child.ask('reply', reply),
              slots: [],
            },
          }),
      service: { usage, port, tokensAt: port, slots: [] },
      // Its answers to calls past a few hundred at once are refusals of its etcd's.
      go:
        go === undefined || reply === undefined || timing.inFlight > 256
          ? undefined
          : { usage: go.usage, port: go.port, tokensAt: go.etcdPort, slots: [] },
    };
  };
  const byOperation = (await operations(service.port, fixture))
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
  await Promise.all([service, bareNode, bareConnect, load, go].map(async (server) => server?.stop()));
  return courses.map(rowOf);
}

function contendersOf({ baseline, service, go }: Course): Contender[] {
  return go === undefined ? [baseline, service] : [baseline, service, go];
}
