import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTokenArgument } from '../../src/cli/token.ts';

test('the URL of a token says its service, with the path of a proxy', () => {
  const table: ReadonlyArray<[text: string, token: string, server: string | undefined]> = [
    ['abc', 'abc', undefined],
    ['http://localhost:8087/abc', 'abc', 'http://localhost:8087'],
    ['http://localhost:8087/abc/', 'abc', 'http://localhost:8087'],
    ['https://x/disc/abc', 'abc', 'https://x/disc'],
    ['https://x/a/b/abc:secret', 'abc:secret', 'https://x/a/b'],
    ['https://x/v2/keys/_etcd/registry/abc', 'abc', 'https://x'],
    ['https://x/disc/v2/keys/discovery/abc', 'abc', 'https://x/disc'],
    ['https://x//abc//', 'abc', 'https://x'],
  ];
  for (const [text, token, server] of table) assert.deepEqual(parseTokenArgument(text), { token, server });
  for (const text of ['https://x', 'https://x/', 'http://'])
    assert.equal(parseTokenArgument(text), undefined);
});
