import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { needCommands } from '../support/debian.ts';
import { PACKAGES, startCachingNginx, startNginx, startVarnish } from './proxies.ts';

const why = await needCommands({ nginx: PACKAGES.nginx, varnishd: PACKAGES.varnishd });
const skip = why ?? false;
const DEADLINE_MS = 10_000;

for (const [name, start] of [
  ['Varnish as it comes', startVarnish],
  ['nginx with a cache', startCachingNginx],
] as const) {
  test(`three requests for a token behind ${name} get three tokens and see every change`, {
    skip,
  }, async (t) => {
    const scene = await Scene.open(t);
    const service = await Service.start(scene);
    const { http } = await start(scene, new URL(service.url).host);
    const get = async (path: string, init: RequestInit = {}): Promise<string> => {
      const response = await fetch(`${http}${path}`, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) });
      return response.text();
    };
    const urls = [await get('/new?size=1'), await get('/new?size=1'), await get('/new?size=1')];
    assert.equal(new Set(urls).size, 3, urls.join('\n'));

    const [first = ''] = urls;
    const { pathname } = new URL(first);
    const pages = ['', '/1'].map((path) => `${pathname}${path}`);
    const before = await Promise.all(pages.map((path) => get(path)));
    await get(`${pathname}/1?prevExist=false`, {
      method: 'PUT',
      body: new URLSearchParams({ value: 'infra1=http://10.0.0.1:2380' }),
    });
    for (const [index, path] of pages.entries()) assert.notEqual(await get(path), before[index], path);
  });
}

test('nginx with its defaults passes on watch events as they happen', { skip }, async (t) => {
  const scene = await Scene.open(t);
  const service = await Service.start(scene);
  const { http } = await startNginx(scene, new URL(service.url).host);
  const token = await service.createToken({ size: 2 });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const events = await fetch(`${http}/${token}?wait=true&recursive=true&stream=true`, { signal });
  assert.ok(events.body);
  const reader = events.body.pipeThrough(new TextDecoderStream()).getReader();
  await service.call('Register', {
    token,
    memberId: '1',
    name: 'infra1',
    peerUrls: ['http://10.0.0.1:2380'],
  });
  assert.match((await reader.read()).value ?? '', /infra1=http:\/\/10\.0\.0\.1:2380/);
  await reader.cancel();
});
