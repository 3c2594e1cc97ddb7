import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningService, startService } from '../../support/service.ts';

const PATH = '/discovery.v1.DiscoveryService/CreateToken';
const origin = { Origin: 'https://ops.example.com' };

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('a preflight allows the request, but not cookies', async () => {
  const asked = {
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type,connect-protocol-version',
  };
  const answer = await fetch(`${service.url}${PATH}`, {
    method: 'OPTIONS',
    headers: { ...origin, ...asked },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  assert.match(answer.headers.get('access-control-allow-headers') ?? '', /connect-protocol-version/i);
  assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/);
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);
});

test('the calling page can read an error', async () => {
  const answer = await fetch(`${service.url}${PATH}`, {
    method: 'POST',
    headers: { ...origin, 'Content-Type': 'application/json' },
    body: '{"size": 0}',
  });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
});

test("scripts of other origins cannot read the service's own pages", async () => {
  for (const path of ['/', '/metrics', '/health']) {
    const answer = await fetch(`${service.url}${path}`, { headers: origin });
    assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
  }
});
