// Records the responses of a real etcd to every kind of call in script.ts, in test/golden/etcd-3.7-v3.jsonl.
// Run by hand after a build: node dist/test/etcdv3/record.js

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../etcd/harness/ports.ts';
import { waitFor } from '../support/wait.ts';
import { connect } from './etcd.ts';
import { playScript } from './script.ts';

const SERIES = '3.7';

// Plain JavaScript that is not compiled to dist/.
const TOOL = new URL('../../../test/tools/etcd-binaries.mjs', import.meta.url);
const { provideEtcd } = (await import(TOOL.href)) as typeof import('../tools/etcd-binaries.mjs');

const found = await provideEtcd(SERIES);
if (found.missing !== undefined) throw new Error(found.missing);
const [clients, peers] = await freePorts(2);
const url = `http://127.0.0.1:${clients}`;
const peerUrl = `http://127.0.0.1:${peers}`;
const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-record-'));
const server = spawn(
  found.etcd,
  [
    ['--name', 'default'],
    ['--data-dir', dataDir],
    ['--listen-client-urls', url],
    ['--advertise-client-urls', url],
    ['--listen-peer-urls', peerUrl],
    ['--initial-advertise-peer-urls', peerUrl],
    ['--initial-cluster', `default=${peerUrl}`],
  ].flat(),
  { stdio: 'ignore' },
);
try {
  await waitFor('etcd to be healthy', async () => {
    const answer = await fetch(`${url}/health`).catch(() => undefined);
    return answer?.ok === true;
  });
  const compact = async (_token: string, revision: bigint): Promise<void> => {
    const body = JSON.stringify({ revision: String(revision), physical: true });
    await fetch(`${url}/v3/kv/compaction`, { method: 'POST', body });
  };
  const lines: string[] = [];
  for await (const step of playScript({ etcd: connect(url), compact })) {
    console.log(step.name);
    lines.push(JSON.stringify(step));
  }
  const file = `test/golden/etcd-${SERIES}-v3.jsonl`;
  writeFileSync(file, `${lines.join('\n')}\n`);
  console.log(`recorded ${lines.length} steps with etcd ${found.version} in ${file}`);
} finally {
  server.kill('SIGKILL');
  await once(server, 'exit');
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit();
