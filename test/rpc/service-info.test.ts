import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service.ts';

test('GetServiceInfo by GET may be cached for a minute', async (t) => {
  const service = await startService({}, { publicUrl: 'https://discovery.example.com/disc' });
  t.after(() => service.stop());
  const url = `${service.url}/discovery.v1.DiscoveryService/GetServiceInfo`;
  const byGet = await fetch(`${url}?connect=v1&encoding=json&message=${encodeURIComponent('{}')}`);
  assert.equal(byGet.headers.get('cache-control'), 'public, max-age=60');
  const info = (await byGet.json()) as { publicUrl: string; version: string };
  assert.equal(info.publicUrl, 'https://discovery.example.com/disc');
  assert.match(info.version, /^\d+\.\d+\.\d+/);
  const headers = { 'Content-Type': 'application/json' };
  const byPost = await fetch(url, { method: 'POST', headers, body: '{}' });
  assert.equal(byPost.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await byPost.json(), info);
});
