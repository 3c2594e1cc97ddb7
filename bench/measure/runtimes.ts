// The service under other versions of Node.js beside the one that runs the benchmark: the same calls on each, in turn.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { GetClusterRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import type { Job } from '../load/main.ts';
import { type Server, startBareNode, startService } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { memberListPath } from '../support/filled.ts';
import { get, grpcFrame, rpcPath } from '../support/requests.ts';
import { ratios, type Spread, spread } from '../support/stats.ts';
import { makeFixture, sampleReply } from './fixture.ts';
import { cpuOf, rateOf, runSlot, type Slot } from './slot.ts';

const exec = promisify(execFile);

export interface RuntimesPlan {
  /** Paths of other Node.js programs. */
  readonly nodes: readonly string[];
  readonly rounds: number;
  readonly inFlight: number;
  readonly ms: number;
  readonly warmUpMs: number;
}

/** One operation under one Node.js. */
export interface RuntimesRow {
  readonly operation: string;
  readonly version: string;
  readonly perSecond: Spread;
  readonly cpuMicros: Spread;
  /** To the Node.js of the benchmark, of the same round: both are better when they are more. */
  readonly rateRatio: Spread;
  readonly cpuRatio: Spread;
}

interface Course {
  readonly operation: string;
  readonly version: string;
  readonly server: Server;
  readonly job: (count: number) => Pick<Job, 'grpcPath' | 'requests'>;
  readonly slots: Slot[];
}

/** More calls than there will be. */
const GUESSED_PER_MS = 20;

export async function measureRuntimes(
  { nodes, rounds, inFlight, ms, warmUpMs }: RuntimesPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly RuntimesRow[]> {
  const load = new Child('the load generator', 'load/main.js');
  const servers: Server[] = [];
  const courses: Course[] = [];
  for (const node of [process.execPath, ...nodes]) {
    const version = (await exec(node, ['--version'])).stdout.trim();
    const service = await startService(join(dataDir, version), { node });
    const bare = await startBareNode(node);
    servers.push(service, bare);
    courses.push(...(await coursesOf(version, service, bare)));
  }
  const run = (course: Course, slotMs: number): Promise<Slot> => {
    const { server, job } = course;
    const asked = { port: server.port, inFlight, ms: slotMs, leadInMs: slotMs / 5 };
    return runSlot(load, () => server.usage(), { ...asked, ...job(GUESSED_PER_MS * slotMs) });
  };
  for (const course of courses) await run(course, warmUpMs);
  const operations = [...new Set(courses.map(({ operation }) => operation))];
  for (let round = 1; round <= rounds; round += 1) {
    for (const operation of operations) {
      progress(`versions of Node.js, round ${round}/${rounds}: ${operation}`);
      const turn = courses.filter((course) => course.operation === operation);
      if (round % 2 === 0) turn.reverse();
      for (const course of turn) course.slots.push(await run(course, ms));
    }
  }
  await Promise.all([load, ...servers].map((server) => server.stop()));
  return operations.flatMap((operation) => {
    const all = courses.filter((course) => course.operation === operation);
    return all.map((course) => rowOf(course, all[0] ?? course));
  });
}

async function coursesOf(
  version: string,
  service: Server,
  bare: Awaited<ReturnType<typeof startBareNode>>,
): Promise<Course[]> {
  const { tokenOf3 } = await makeFixture(service.port);
  const path = memberListPath(tokenOf3);
  await bare.child.ask('reply', await sampleReply(service.port, path));
  const list = () => ({ requests: { repeat: get(path) } });
  const frame = grpcFrame(
    toBinary(GetClusterRequestSchema, create(GetClusterRequestSchema, { token: tokenOf3 })),
  );
  const course = (operation: string, server: Server, job: Course['job']): Course => {
    return { operation, version, server, job, slots: [] };
  };
  return [
    course('bare Node HTTP, v2 list of 3', bare, list),
    course('v2 list of 3', service, list),
    course('v2 register, 3 a token', service, (count) => ({
      requests: { distinct: { dialect: 'v2', perToken: 3, count }, tokensAt: service.port },
    })),
    course('gRPC GetCluster', service, () => ({
      grpcPath: rpcPath('GetCluster'),
      requests: { repeat: frame },
    })),
  ];
}

function rowOf({ operation, version, slots }: Course, first: Course): RuntimesRow {
  const rates = slots.map(rateOf);
  const cpu = slots.map(cpuOf);
  return {
    operation,
    version,
    perSecond: spread(rates),
    cpuMicros: spread(cpu),
    rateRatio: ratios(rates, first.slots.map(rateOf)),
    cpuRatio: ratios(first.slots.map(cpuOf), cpu),
  };
}
