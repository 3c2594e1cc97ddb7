import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { needCommands } from '../support/debian.ts';
import { CADDY, PACKAGES, startCaddy, startHaproxy, startNginx } from './proxies.ts';

const DEADLINE_MS = 10_000;

for (const [name, start, command] of [
  ['nginx', startNginx, { nginx: PACKAGES.nginx }],
  ['haproxy', startHaproxy, { haproxy: PACKAGES.haproxy }],
  ['caddy', startCaddy, CADDY],
] as const) {
  const skip = (await needCommands(command)) ?? false;
  test(`the documented configuration of ${name} serves both protocols, and wakes waiting clients`, {
    skip,
  }, async (t) => {
    const scene = await Scene.open(t);
    const service = await Service.start(scene);
    const { http, grpc } = await start(scene, new URL(service.url).host);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const made = await fetch(`${http}/new?size=2`, { signal });
    const { pathname } = new URL(await made.text());
    const waiting = fetch(`${http}${pathname}?wait=true&recursive=true`, { signal });
    await scene.until('the wait to begin', async () => {
      const metrics = await (await fetch(`${service.url}/metrics`, { signal })).text();
      return /^discovery_waits\{surface="v2"\} 1$/m.test(metrics) ? true : undefined;
    });
    const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl: grpc }));
    const peerUrls = ['http://10.0.0.1:2380'];
    await client.register({ token: pathname.slice(1), memberId: '1', name: 'infra1', peerUrls });
    assert.match(await (await waiting).text(), /infra1=http:\/\/10\.0\.0\.1:2380/);
  });
}
