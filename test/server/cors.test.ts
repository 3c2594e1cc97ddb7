import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type RunningService, startService } from '../support/service.ts';

const OPS = 'https://ops.example.com';
let service: RunningService;
before(async () => {
  service = await startService({}, { corsOrigins: [OPS] });
});
after(() => service.stop());

function preflight(origin: string, path: string): Promise<Response> {
  const asked = {
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'content-type,connect-protocol-version',
  };
  return fetch(`${service.url}${path}`, { method: 'OPTIONS', headers: { Origin: origin, ...asked } });
}

test('a preflight of an origin that is let in says what may be sent, and of another one nothing', async () => {
  const path = '/discovery.v1.DiscoveryService/CreateToken';
  const answer = await preflight(OPS, path);
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), OPS);
  assert.match(answer.headers.get('access-control-allow-headers') ?? '', /connect-protocol-version/i);
  assert.match(answer.headers.get('access-control-allow-methods') ?? '', /POST/);
  assert.equal(answer.headers.get('vary'), 'Origin');
  assert.equal(answer.headers.get('access-control-allow-credentials'), null);

  const other = await preflight('https://evil.example.com', path);
  assert.equal(other.headers.get('access-control-allow-origin'), null);
  assert.equal(other.headers.get('vary'), 'Origin', 'a cache must not answer the one with the other');
});

test('the other surfaces are not for the pages of other origins', async () => {
  for (const path of ['/new?size=3', '/a-token', '/metrics']) {
    const answer = await fetch(`${service.url}${path}`, { headers: { Origin: OPS } });
    assert.equal(answer.headers.get('access-control-allow-origin'), null, path);
  }
});
