// What the stores can do at the most: durable writes of bare LMDB, and conditional creates of a bare etcd.

import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  Compare_CompareResult,
  Compare_CompareTarget,
  TxnRequestSchema,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { Job, JobResult } from '../load/main.ts';
import type { Writes, WritesResult } from '../servers/bare-lmdb.ts';
import { etcdIsThere, startEtcd } from '../servers/servers.ts';
import { Child } from '../support/child.ts';
import { grpcFrame } from '../support/requests.ts';
import { type Spread, spread } from '../support/stats.ts';

export interface StoresPlan {
  readonly rounds: number;
  readonly inFlight: readonly number[];
  readonly ms: number;
}

export interface StoresRow {
  readonly inFlight: number;
  readonly lmdbPerSecond: Spread;
  /** Undefined when there is no etcd. */
  readonly etcdPerSecond: Spread | undefined;
}

export async function measureStores(
  { rounds, inFlight, ms }: StoresPlan,
  dataDir: string,
  progress: (text: string) => void,
): Promise<readonly StoresRow[]> {
  const lmdb = new Child('bare LMDB', 'servers/bare-lmdb.js');
  const load = new Child('the load generator', 'load/main.js');
  await lmdb.ask('open', join(dataDir, 'bare-lmdb'));
  const etcd = (await etcdIsThere('3.7')) ? await startEtcd(join(dataDir, 'bare-etcd')) : undefined;
  const rates = inFlight.map((count) => ({ count, lmdb: [] as number[], etcd: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    progress(`bare stores, round ${round}/${rounds}`);
    for (const { count, lmdb: ofLmdb, etcd: ofEtcd } of rates) {
      const { perSecond } = (await lmdb.ask('write', {
        inFlight: count,
        ms,
      } satisfies Writes)) as WritesResult;
      const { calls, seconds } = etcd === undefined ? NO_CALLS : await createKeys(load, etcd.port, count, ms);
      // The first is the warm-up.
      if (round === 0) continue;
      ofLmdb.push(perSecond);
      if (etcd !== undefined) ofEtcd.push(calls / seconds);
    }
  }
  await Promise.all([lmdb, load, etcd].map(async (process) => process?.stop()));
  return rates.map(({ count, lmdb: ofLmdb, etcd: ofEtcd }) => ({
    inFlight: count,
    lmdbPerSecond: spread(ofLmdb),
    etcdPerSecond: etcd === undefined ? undefined : spread(ofEtcd),
  }));
}

const NO_CALLS = { calls: 0, seconds: 1 };

/** The same transaction over and over: a put on the condition that another key, which never is, is not there. */
async function createKeys(load: Child, port: number, inFlight: number, ms: number): Promise<JobResult> {
  const value = Buffer.from('infra1=http://10.0.0.1:2380');
  const put = { case: 'requestPut' as const, value: { key: Buffer.from('/bench/key'), value } };
  const request = create(TxnRequestSchema, {
    compare: [
      {
        key: Buffer.from('/bench/none'),
        target: Compare_CompareTarget.CREATE,
        result: Compare_CompareResult.EQUAL,
        targetUnion: { case: 'createRevision', value: 0n },
      },
    ],
    success: [{ request: put }],
  });
  const job: Job = {
    port,
    grpcPath: '/etcdserverpb.KV/Txn',
    inFlight,
    ms,
    requests: { repeat: grpcFrame(toBinary(TxnRequestSchema, request)) },
  };
  await load.ask('prepare', job);
  return (await load.ask('run')) as JobResult;
}
