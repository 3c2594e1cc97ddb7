import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../support/child.ts';
import { expectHealthy } from '../harness/cluster.ts';
import { EtcdNode } from '../harness/node.ts';
import { freePorts } from '../harness/ports.ts';
import { Service } from '../harness/service.ts';
import { etcdOf, forEachEtcdctl } from '../harness/versions.ts';

await forEachEtcdctl((it) => {
  it('the output of join-late adds a late node to the running cluster', async (scene, etcdctl) => {
    const etcd = await etcdOf(etcdctl.series);
    const service = await Service.start(scene);
    const url = await service.newDiscoveryUrl(1);
    const token = url.split('/').at(-1) ?? '';
    const discovery = etcd.series === '3.7' ? { token, endpoints: [service.url] } : url;
    const node = await EtcdNode.start(scene, { etcd, discovery, name: 'infra1' });
    await expectHealthy(scene, [node]);

    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
    const late = ['join-late', url, '--name', 'infra2', '--peer-url', peerUrl, '--endpoints', node.clientUrl];
    const { code, stdout } = await run(late);
    assert.equal(code, 0);
    const command = /^ +(etcdctl .*)$/m.exec(stdout)?.[1] ?? '';
    const bin = join(scene.directory, 'bin');
    await mkdir(bin);
    await symlink(etcdctl.etcdctl, join(bin, 'etcdctl'));
    await symlink(etcd.etcd, join(bin, 'etcd'));
    // A cluster accepts no member in the first seconds of its life.
    const script = `until output=$(${command}); do sleep 0.2; done
      set -a; eval "$(grep ^ETCD_ <<< "$output")"
      exec etcd --data-dir ${join(scene.directory, 'late')} --listen-peer-urls ${peerUrl} \\
        --listen-client-urls ${clientUrl} --advertise-client-urls ${clientUrl}`;
    const second = scene.run('the late node', 'bash', ['-c', script], {
      PATH: [bin, dirname(process.execPath), process.env['PATH']].join(':'),
    });
    await scene.until('both nodes to be members', async () => {
      if (second.ending !== undefined) return 'it ended';
      const request = { method: 'POST', body: '{}', signal: AbortSignal.timeout(5000) };
      const answer = await fetch(`${clientUrl}/v3/cluster/member/list`, request);
      const { members } = (await answer.json()) as { members: ReadonlyArray<{ readonly name?: string }> };
      const names = members.map(({ name = '?' }) => name).sort();
      return names.join(' ') === 'infra1 infra2' || undefined;
    });
  });
});
