import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { discoveryTokens, discoveryUrls, textOfId } from '../../src/etcd/discovery-text.ts';
import { send, value } from './http.ts';
import { startStack } from './stack.ts';

const ORIGIN = 'http://127.0.0.1:18087';
const TOKEN = '0011223344556677889900000000';
const ORIGINS = [ORIGIN, 'https://127.0.0.1:18087'];

// Sent by real nodes: etcd 3.5.35, 3.6.16 with two peer URLs, and 3.7.3.
const RECORDED = [
  { id: '9bd4bb8a6b2e0e0e', urls: ['http://127.0.0.1:31012'], text: `${ORIGIN}/${TOKEN}101` },
  { id: 'e261d2e61c86a5c7', urls: ['http://127.0.0.1:31022'], text: `${ORIGIN}/${TOKEN}102/` },
  {
    id: '5347ab38e157c78a',
    urls: ['http://127.0.0.1:31032', 'http://10.0.0.9:2380'],
    text: `http://localhost:18087/${TOKEN}103`,
  },
  { id: '41d91624d30d8fa8', urls: ['http://127.0.0.1:31072'], text: `http://LocalHost:18087//${TOKEN}107` },
] as const;

const RECORDED_V3 = [
  { id: '5c7fbd7a21c93831', urls: ['http://127.0.0.1:31042'], name: `${TOKEN}104`, text: `${TOKEN}104` },
  { id: '4ae48ebd53a499df', urls: ['http://127.0.0.1:31052'], name: `${TOKEN}105`, text: `${TOKEN}105/` },
  {
    id: '315871f699ab9399',
    urls: ['http://127.0.0.1:31062'],
    name: `http:/127.0.0.1:18087/${TOKEN}106`,
    text: `${ORIGIN}/${TOKEN}106`,
  },
] as const;

/** etcd's id for one peer URL. */
function idFor(peerUrl: string, text: string): string {
  return createHash('sha1').update(`${peerUrl}${text}`).digest().readBigUInt64BE().toString(16);
}

suite('the discovery text that a member id was derived from', () => {
  for (const { id, urls, text } of RECORDED) {
    test(`is found among the URLs of a request: ${text}`, () => {
      const { protocol, host, pathname } = new URL(text);
      const origin = text.includes('LocalHost') ? `${protocol}//LocalHost:18087` : `${protocol}//${host}`;
      const path = `/${pathname.split('/').filter(Boolean).join('/')}`;
      assert.equal(textOfId(id, urls, discoveryUrls([...ORIGINS, origin], path)), text);
      assert.equal(textOfId(id, urls, discoveryUrls(['http://elsewhere:1'], path)), undefined);
      assert.equal(textOfId(id, ['http://other:2380'], discoveryUrls([origin], path)), undefined);
    });
  }

  for (const { id, urls, name, text } of RECORDED_V3) {
    test(`is found among the tokens of a key: ${text}`, () => {
      assert.equal(textOfId(id, urls, discoveryTokens(name)), text);
      assert.equal(textOfId(id, urls, discoveryTokens(`${name}x`)), undefined);
    });
  }

  test('is shown without its secret, and differs if the secret does', () => {
    // Computed from the rule that the recorded ids show.
    const secrets = ['a'.repeat(32), 'b'.repeat(32)];
    const shown = secrets.map((secret) => {
      const text = `${ORIGIN}/t:${secret}`;
      const found = textOfId(idFor('http://a:1', text), ['http://a:1'], [text]);
      assert.ok(found !== undefined && !found.includes(secret));
      return found;
    });
    assert.notEqual(shown[0], shown[1]);
  });
});

test('rejects a node with another discovery URL, and accepts an id that is not derived from one', async (t) => {
  const stack = await startStack();
  t.after(() => stack.close());
  const { url, client } = stack;
  const { host } = new URL(url);
  await client.createToken({ token: 't', size: 5 });
  const register = (peerUrl: string, text: string, name: string): ReturnType<typeof send> =>
    send(url, 'PUT', `/t/${idFor(peerUrl, text)}?prevExist=false`, value(`${name}=${peerUrl}`));

  assert.equal((await register('http://a:1', `http://${host}/t`, 'a')).status, 201);
  assert.equal((await register('http://b:1', `http://${host}/t`, 'b')).status, 201);
  const slash = await register('http://c:1', `http://${host}/t/`, 'c');
  assert.equal(slash.status, 412);
  for (const part of [`--discovery 'http://${host}/t/'`, `'a' with --discovery 'http://${host}/t'`]) {
    assert.ok(slash.body.includes(part), slash.body);
  }
  assert.equal((await register('http://c:1', `https://${host}/t`, 'c')).status, 412);
  assert.equal((await register('http://c:1', 'made by hand', 'c')).status, 201);
  const { members } = await client.listMembers({ token: 't' });
  assert.deepEqual(
    members.map(({ name, discoveryText }) => [name, discoveryText]),
    [
      ['a', `http://${host}/t`],
      ['b', `http://${host}/t`],
      ['c', ''],
    ],
  );
});
