import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { type RunningService, startService } from '../support/service.ts';
import { openAsBrowser } from './html.ts';

describe('a token with a secret', () => {
  let service: RunningService;
  before(async () => {
    service = await startService();
  });
  after(() => service.stop());

  const guarded = async (access: Access): Promise<{ token: string; secret: string }> => {
    const { cluster, secrets } = await service.client.createToken({ size: 2, guard: [access] });
    return { token: cluster?.token ?? '', secret: secrets[0]?.secret ?? '' };
  };
  const send = (fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
    openAsBrowser(`${service.url}/_page/open`, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers,
    });

  test("asks for a secret that guards reading in a form, without the browser's password prompt", async () => {
    const { token, secret } = await guarded(Access.READ);
    const refused = await openAsBrowser(`${service.url}/${token}`);
    assert.equal(refused.status, 401);
    assert.doesNotMatch(refused.headers.get('www-authenticate') ?? '', /basic/i);
    assert.match(await refused.text(), /<form[^>]* method="post" action=".\/_page\/open">/);
    const shown = await send({ token, secret });
    assert.equal(shown.status, 200);
    assert.equal(shown.headers.get('cache-control'), 'no-store');
    assert.equal(shown.headers.get('referrer-policy'), 'no-referrer');
    const html = await shown.text();
    assert.match(html, /0 of 2 nodes registered/);
    assert.ok(html.includes(`--discovery=${service.url}/${token}:${secret}`), 'nodes need the secret too');
    const wrong = await send({ token, secret: 'not-the-secret-of-it' });
    assert.equal(wrong.status, 403);
    assert.match(await wrong.text(), /<form[^>]* action="..\/_page\/open">/);
    assert.ok(service.logged.every((line) => !line.includes(secret)));
  });

  test('accepts the secret only from its own form', async () => {
    const { token, secret } = await guarded(Access.READ);
    const foreign = await send({ token, secret }, { 'sec-fetch-site': 'cross-site' });
    assert.equal(foreign.status, 403);
    assert.doesNotMatch(await foreign.text(), /0 of 2/);
    assert.equal((await send({ secret })).status, 400);
    const again = await openAsBrowser(`${service.url}/_page/open`);
    assert.deepEqual([again.status, again.headers.get('location')], [303, '../']);
  });

  test('leaves the commands unchanged when the secret guards only administration', async () => {
    const { token } = await guarded(Access.ADMINISTER);
    const html = await (await openAsBrowser(`${service.url}/${token}`)).text();
    assert.match(html, /<div class="wants-secret" hidden>/);
  });
});
