import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { ETCD_SERIES, type EtcdSeries, type NodeStart } from '../../../src/etcd/start/node.ts';
import { START_FORMATS, startText } from '../../../src/etcd/start/text.ts';
import { SpawnedService } from '../../support/child.ts';
import { CA, CA_FILE, CERT_FILE, KEY_FILE, TLS_ARGS } from '../../tls/files.ts';
import { freePorts } from '../harness/ports.ts';
import type { Run } from '../harness/run.ts';
import type { Scene } from '../harness/scene.ts';
import { type Etcd, etcdctlOf, etcdOf, forEachEtcd } from '../harness/versions.ts';
import { START } from './readers.ts';

// Starts a real node from every text that shows how to start one, and forms its cluster.

// Each reader would interpret part of this name if it were not escaped for that reader.
const NAME = `it's-"50%h"-$HOME-$(id)-\\n;#`;
// A number to a YAML parser, unless it is quoted.
const TOKEN = '12e45';

const run = promisify(execFile);

async function start(scene: Scene, args: readonly string[] = []): Promise<SpawnedService> {
  const service = await SpawnedService.start(args);
  scene.after(() => service.remove());
  return service;
}

async function makeToken({ url }: SpawnedService, size: number): Promise<void> {
  const nodeOptions = { ca: CA };
  const transport = createConnectTransport({ baseUrl: url, httpVersion: '1.1', nodeOptions });
  await createClient(DiscoveryService, transport).createToken({ size, token: TOKEN });
}

async function nodeFor(scene: Scene, etcd: Etcd, serviceUrl: string, name = NAME): Promise<NodeStart> {
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  return {
    etcd: etcd.series as EtcdSeries,
    name,
    ip: '127.0.0.1',
    serviceUrl,
    token: TOKEN,
    dataDir: join(scene.directory, `${etcd.series}-${clientPort}`),
    clientPort,
    peerPort,
  };
}

interface Members {
  readonly header: { readonly cluster_id: string };
  readonly members: ReadonlyArray<{ readonly name?: string; readonly peerURLs: readonly string[] }>;
}

/** Waits until the nodes are one cluster, by the answer of each. */
async function expectFormed(scene: Scene, nodes: ReadonlyArray<readonly [NodeStart, Run]>): Promise<void> {
  const wanted = nodes.map(([{ name, peerPort }]) => `${name}=http://127.0.0.1:${peerPort}`).sort();
  const clusters = new Set<string>();
  for (const [node, run] of nodes) {
    await scene.until(`${node.name} to be a member`, async () => {
      if (run.ending !== undefined) return `it ended: ${JSON.stringify(run.ending)}`;
      const request = { method: 'POST', body: '{}', signal: AbortSignal.timeout(5000) };
      const answer = await fetch(`http://127.0.0.1:${node.clientPort}/v3/cluster/member/list`, request);
      const { header, members } = (await answer.json()) as Members;
      const found = members.map(({ name = '', peerURLs }) => `${name}=${peerURLs.join()}`).sort();
      if (found.join(' ') !== wanted.join(' ')) throw new Error(found.join(' '));
      clusters.add(header.cluster_id);
      return true;
    });
  }
  assert.equal(clusters.size, 1);
}

await forEachEtcd((it) => {
  for (const format of START_FORMATS) {
    for (const [how, args, more] of [
      ['without TLS', [], {}],
      ['over TLS', TLS_ARGS, { discoveryCacert: CA_FILE }],
    ] as const) {
      it(`starts from ${format}, ${how}`, async (scene, etcd) => {
        const service = await start(scene, args);
        await makeToken(service, 1);
        const node = { ...(await nodeFor(scene, etcd, service.url)), ...more };
        const run = await START[format]({ scene, etcd: etcd.etcd }, startText(node, format));
        await expectFormed(scene, [[node, run]]);
      });
    }
  }
}, 'ANY');

await forEachEtcd((it) => {
  // The file's settings differ from the flags, and a container needs the files mounted.
  for (const format of ['flags', 'yaml', 'compose'] as const) {
    it(`starts from ${format} with a DNS name, a listen address, and certificates for all`, async (scene, etcd) => {
      const service = await start(scene);
      await makeToken(service, 1);
      const { ip: _ip, ...node } = await nodeFor(scene, etcd, service.url, 'infra1');
      const files = { certFile: CERT_FILE, keyFile: KEY_FILE, trustedCaFile: CA_FILE };
      const peerFiles = { peerCertFile: CERT_FILE, peerKeyFile: KEY_FILE, peerTrustedCaFile: CA_FILE };
      const secure = { ...node, host: 'localhost', listen: '127.0.0.1', ...files, ...peerFiles };
      const etcdRun = await START[format]({ scene, etcd: etcd.etcd }, startText(secure, format));
      const { etcdctl } = await etcdctlOf(etcd.series);
      const endpoint = `--endpoints=https://localhost:${node.clientPort}`;
      const args = [endpoint, `--cacert=${CA_FILE}`, `--cert=${CERT_FILE}`, `--key=${KEY_FILE}`];
      await scene.until('etcdctl to see its URLs', async () => {
        if (etcdRun.ending !== undefined) return `it ended: ${etcdRun.log.slice(-500)}`;
        const { stdout } = await run(etcdctl, [...args, 'member', 'list'], { env: { ETCDCTL_API: '3' } });
        const urls = `infra1, https://localhost:${node.peerPort}, https://localhost:${node.clientPort}`;
        return stdout.includes(urls) || undefined;
      });
      // A client without a certificate is rejected.
      await assert.rejects(
        run(
          etcdctl,
          [endpoint, `--cacert=${CA_FILE}`, 'get', 'a', '--dial-timeout=2s', '--command-timeout=2s'],
          { env: { ETCDCTL_API: '3' } },
        ),
      );
    });
  }
}, 'ANY');

await forEachEtcd((it) => {
  it('nodes of both dialects form a cluster with the setting for mixed versions', async (scene, etcd) => {
    const service = await start(scene);
    await makeToken(service, 3);
    const nodes: Array<readonly [NodeStart, Run]> = [];
    // etcd does not support clusters of versions further apart. 3.6 accepts the settings of 3.5.
    const oldest = await etcdOf(etcd.series === '3.7' ? '3.6' : '3.5');
    for (const [i, each] of [oldest, await etcdOf('3.6'), etcd].entries()) {
      const own = { ...(await nodeFor(scene, each, service.url, `infra${i + 1}`)), mixed: true };
      const node: NodeStart = i === 0 ? { ...own, etcd: '3.5' } : own;
      const format = i === 1 ? 'yaml' : 'systemd';
      nodes.push([node, await START[format]({ scene, etcd: each.etcd }, startText(node, format))]);
    }
    await expectFormed(scene, nodes);
  });

  it('etcd reads the timeouts of its file in the intended units', async (scene, etcd) => {
    const service = await start(scene);
    await makeToken(service, 1);
    const node = await nodeFor(scene, etcd, service.url);
    const text = startText(node, 'yaml').replace('dial-timeout: 2000000000', 'dial-timeout: 3000000000');
    const run = await START.yaml({ scene, etcd: etcd.etcd }, text);
    await scene.waitForLog(run, /"discovery-dial-timeout":"3s","discovery-request-timeout":"5s"/);
  });
}, 'V3');

const analyze = await run('systemd-analyze', ['--version']).then(
  () => false,
  () => 'no systemd-analyze on PATH',
);

test('systemd finds no fault in a unit', { skip: analyze }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const etcd of ETCD_SERIES) {
    const node = {
      etcd,
      name: NAME,
      ip: 'fd00::1',
      serviceUrl: 'https://disc',
      token: TOKEN,
      discoveryCacert: CA_FILE,
    };
    const unit = join(directory, `etcd-${etcd}.service`);
    // systemd looks for the program where units expect it, which is not where a test has it.
    writeFileSync(unit, startText(node, 'systemd').replace('ExecStart=etcd', 'ExecStart=/bin/true'));
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
    assert.equal(`${stdout}${stderr}`, '');
  }
});
