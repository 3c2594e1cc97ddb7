// Measures reads with wrk and h2load, where they are installed, to check the benchmark's own load generator.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launchService, startBareHttp2, startBareNode } from '../servers/servers.ts';
import { ratios, type Spread, spread } from '../support/stats.ts';
import { makeFixture, sampleMessages } from './fixture.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import { inTurn } from './slot.ts';

const exec = promisify(execFile);
/** As the benchmark's own generator. */
const STREAMS_A_CONNECTION = 32;

export const GENERATED = [
  'v2 size',
  'gRPC GetCluster',
  'v3 Range of the size',
] as const satisfies readonly OperationName[];

export interface GeneratorsPlan {
  readonly rounds: number;
  readonly inFlight: readonly number[];
  readonly seconds: number;
  readonly wanted: readonly OperationName[];
}

export interface GeneratorRow {
  readonly operation: OperationName;
  readonly generator: string;
  readonly inFlight: number;
  readonly baselineName: string;
  /** Calls per second. */
  readonly service: Spread;
  readonly baseline: Spread;
  /** Service / baseline, of the same round. */
  readonly ratio: Spread;
}

interface Generator {
  readonly name: string;
  readonly baselineName: string;
  readonly args: (port: number, inFlight: number, seconds: number) => readonly string[];
  /** Matches the calls per second in its output. */
  readonly rate: RegExp;
}

/** Returns undefined if neither is installed. */
export async function measureWithOthers(
  plan: GeneratorsPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly GeneratorRow[] | undefined> {
  const installed = new Set((await Promise.all(['wrk', 'h2load'].map(ifInstalled))).flat());
  if (installed.size === 0) return undefined;
  const [service, bareNode, bareHttp2] = await Promise.all([
    launchService(join(dataDir, 'service')),
    startBareNode(),
    startBareHttp2(),
  ]);
  const fixture = await makeFixture(service.port);
  const all = await operations(service.port, fixture, await sampleMessages(service.port, fixture));
  const rows: GeneratorRow[] = [];
  for (const operation of all.filter(({ name }) => plan.wanted.includes(name))) {
    const generator = generatorFor(operation, join(dataDir, 'request'));
    if (!installed.has(generator.name)) continue;
    const { child, port } = operation.grpcPath === undefined ? bareNode : bareHttp2;
    await child.ask('reply', operation.reply ?? operation.answer);
    for (const inFlight of plan.inFlight) {
      progress(`${generator.name}, ${inFlight} in flight: ${operation.name}`);
      const [ofService = [], ofBaseline = []] = await measureRates(
        generator,
        [service.port, port],
        plan,
        inFlight,
      );
      rows.push({
        operation: operation.name,
        generator: generator.name,
        inFlight,
        baselineName: generator.baselineName,
        service: spread(ofService),
        baseline: spread(ofBaseline),
        ratio: ratios(ofService, ofBaseline),
      });
    }
  }
  await Promise.all([service, bareNode, bareHttp2].map((server) => server.stop()));
  return rows;
}

/** Returns the calls per second of each round, for each port. */
async function measureRates(
  { name, args, rate }: Generator,
  ports: readonly number[],
  { rounds, seconds }: GeneratorsPlan,
  inFlight: number,
): Promise<readonly number[][]> {
  const rates = new Map(ports.map((port): [number, number[]] => [port, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const port of inTurn(ports, round)) {
      const { stdout } = await exec(name, args(port, inFlight, seconds));
      rates.get(port)?.push(Number(rate.exec(stdout)?.[1]));
    }
  }
  return [...rates.values()];
}

async function ifInstalled(name: string): Promise<string[]> {
  return exec(name, ['--version']).then(
    () => [name],
    // wrk exits with 1.
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : [name]),
  );
}

function generatorFor({ requests, grpcPath }: Operation, file: string): Generator {
  if (!('repeat' in requests)) throw new TypeError('not a repeated request');
  const url = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  if (grpcPath === undefined) {
    const [, path = ''] = Buffer.from(requests.repeat).toString('latin1').split(' ', 2);
    return {
      name: 'wrk',
      baselineName: 'bare Node HTTP',
      args: (port, inFlight, seconds) => ['-t1', `-c${inFlight}`, `-d${seconds}s`, url(port, path)],
      rate: /Requests\/sec:\s+([\d.]+)/,
    };
  }
  writeFileSync(file, requests.repeat);
  const headers = ['content-type: application/grpc+proto', 'te: trailers'].flatMap((header) => [
    '-H',
    header,
  ]);
  return {
    name: 'h2load',
    baselineName: 'bare node:http2',
    args: (port, inFlight, seconds) => [
      `-c${Math.ceil(inFlight / STREAMS_A_CONNECTION)}`,
      `-m${STREAMS_A_CONNECTION}`,
      `-D${seconds}`,
      ...headers,
      `-d${file}`,
      url(port, grpcPath),
    ],
    rate: /, ([\d.]+) req\/s/,
  };
}
