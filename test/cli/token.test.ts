import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTokenArgument } from '../../src/cli/token.ts';

test("a token's URL selects the service, including a proxy's path", () => {
  const table: ReadonlyArray<[text: string, token: string, server: string | undefined]> = [
    ['abc', 'abc', undefined],
    ['http://localhost:8087/abc', 'abc', 'http://localhost:8087'],
    ['http://localhost:8087/abc/', 'abc', 'http://localhost:8087'],
    ['https://x/disc/abc', 'abc', 'https://x/disc'],
    ['https://x/a/b/abc:secret', 'abc:secret', 'https://x/a/b'],
    ['https://x/v2/keys/_etcd/registry/abc', 'abc', 'https://x'],
    ['https://x/disc/v2/keys/discovery/abc', 'abc', 'https://x/disc'],
    ['https://x//abc//', 'abc', 'https://x'],
    ['https://x/disc/_start/abc', 'abc', 'https://x/disc'],
    ['https://me:pw@x/abc?etcd=3.7#a', 'abc', 'https://x'],
    ['abc:secret', 'abc:secret', undefined],
    ['localhost:8087/abc', 'abc', 'http://localhost:8087'],
    ['[::1]:8087/disc/abc:secret', 'abc:secret', 'http://[::1]:8087/disc'],
    ['example.com:443/abc', 'abc', 'https://example.com'],
  ];
  for (const [text, token, server] of table) {
    const found = server === undefined ? undefined : { url: server, isAssumed: !text.includes('://') };
    assert.deepEqual(parseTokenArgument(text), { token, server: found });
  }
  for (const text of [
    'https://x',
    'https://x/',
    'http://',
    'example.com/abc',
    'ftp://x/abc',
    'https://x/a b/abc',
  ])
    assert.equal(parseTokenArgument(text), undefined);
});
