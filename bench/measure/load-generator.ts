// How far the load generator itself is the limit: the same reads by wrk and h2load, written in C, where they are installed.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { GetClusterRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import type { Job, JobResult } from '../load/main.ts';
import type { Ports } from '../servers/bare-connect.ts';
import { startBareNode, startService } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { memberListPath } from '../support/filled.ts';
import { get, grpcFrame, rpcPath } from '../support/requests.ts';
import { type Spread, spread } from '../support/stats.ts';
import { makeFixture, sampleMessages, sampleReply } from './fixture.ts';
import { rateOf } from './slot.ts';

const exec = promisify(execFile);

export interface GeneratorPlan {
  readonly rounds: number;
  readonly seconds: number;
  readonly inFlight: number;
}

/** Calls a second of one read, as the two generators count them. */
export interface GeneratorRow {
  readonly operation: string;
  readonly inFlight: number;
  readonly other: 'wrk' | 'h2load';
  readonly ours: { readonly baseline: Spread; readonly service: Spread; readonly ratio: Spread };
  readonly theirs: { readonly baseline: Spread; readonly service: Spread; readonly ratio: Spread };
}

type Generator = (port: number) => Promise<number>;

/** No rows where neither is installed. */
export async function measureGenerators(
  plan: GeneratorPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly GeneratorRow[]> {
  const hasWrk = await isInstalled('wrk');
  const hasH2load = await isInstalled('h2load');
  if (!hasWrk && !hasH2load) return [];
  progress('the load generator beside wrk and h2load');
  const [service, bareNode] = await Promise.all([startService(join(dataDir, 'generator')), startBareNode()]);
  const bareConnect = new Child('bare connect-node', 'servers/bare-connect.js');
  const load = new Child('the load generator', 'load/main.js');
  const fixture = await makeFixture(service.port);
  const path = memberListPath(fixture.tokenOf3);
  await bareNode.child.ask('reply', await sampleReply(service.port, path));
  const ports = (await bareConnect.ask('listen', await sampleMessages(service.port, fixture))) as Ports;
  const frame = grpcFrame(
    toBinary(GetClusterRequestSchema, create(GetClusterRequestSchema, { token: fixture.tokenOf3 })),
  );
  const frameFile = join(dataDir, 'frame');
  await mkdir(dataDir, { recursive: true });
  await writeFile(frameFile, frame);

  const ours =
    (request: Omit<Job, 'port' | 'inFlight' | 'ms'>): Generator =>
    async (port) => {
      await load.ask('prepare', { ...request, port, inFlight: plan.inFlight, ms: plan.seconds * 1000 });
      return rateOf((await load.ask('run')) as JobResult);
    };
  const rows: GeneratorRow[] = [];
  if (hasWrk) {
    rows.push({
      operation: 'v2 list of 3',
      inFlight: plan.inFlight,
      other: 'wrk',
      ...(await both(plan.rounds, { baseline: bareNode.port, service: service.port }, [
        ours({ requests: { repeat: get(path) } }),
        (port) => wrk(plan, `http://127.0.0.1:${port}${path}`),
      ])),
    });
  }
  if (hasH2load) {
    const grpcPath = rpcPath('GetCluster');
    rows.push({
      operation: 'gRPC GetCluster',
      inFlight: plan.inFlight,
      other: 'h2load',
      ...(await both(plan.rounds, { baseline: ports.http2, service: service.port }, [
        ours({ grpcPath, requests: { repeat: frame } }),
        (port) => h2load(plan, `http://127.0.0.1:${port}${grpcPath}`, frameFile),
      ])),
    });
  }
  await Promise.all([service, bareNode, bareConnect, load].map((server) => server.stop()));
  return rows;
}

async function both(
  rounds: number,
  { baseline, service }: { readonly baseline: number; readonly service: number },
  [ours, theirs]: readonly [Generator, Generator],
): Promise<Pick<GeneratorRow, 'ours' | 'theirs'>> {
  const rates = { ours: [] as [number, number][], theirs: [] as [number, number][] };
  for (let round = 0; round <= rounds; round += 1) {
    const of = async (generator: Generator): Promise<[number, number]> => [
      await generator(baseline),
      await generator(service),
    ];
    const [our, their] = [await of(ours), await of(theirs)];
    // The first warms up.
    if (round === 0) continue;
    rates.ours.push(our);
    rates.theirs.push(their);
  }
  const over = (pairs: readonly [number, number][]) => ({
    baseline: spread(pairs.map(([bare]) => bare)),
    service: spread(pairs.map(([, full]) => full)),
    ratio: spread(pairs.map(([bare, full]) => full / bare)),
  });
  return { ours: over(rates.ours), theirs: over(rates.theirs) };
}

/** One thread, as ours has one. */
async function wrk({ inFlight, seconds }: GeneratorPlan, url: string): Promise<number> {
  const { stdout } = await exec('wrk', ['-t1', `-c${inFlight}`, `-d${seconds}s`, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk was refused:\n${stdout}`);
  return numberIn(/Requests\/sec:\s*([\d.]+)/, stdout);
}

/** 32 streams a connection, as ours has them. */
async function h2load({ inFlight, seconds }: GeneratorPlan, url: string, body: string): Promise<number> {
  const streams = Math.min(inFlight, 32);
  const { stdout } = await exec('h2load', [
    '-t1',
    `-c${Math.ceil(inFlight / streams)}`,
    `-m${streams}`,
    `-D${seconds}`,
    `--data=${body}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    url,
  ]);
  if (!/ 0 4xx, 0 5xx/.test(stdout)) throw new Error(`h2load was refused:\n${stdout}`);
  return numberIn(/finished in [^,]*, ([\d.]+) req\/s/, stdout);
}

function numberIn(pattern: RegExp, text: string): number {
  const number = Number(pattern.exec(text)?.[1]);
  if (Number.isNaN(number)) throw new Error(`there is no ${pattern} in:\n${text}`);
  return number;
}

function isInstalled(program: string): Promise<boolean> {
  return exec('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}
