import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainPeerUrl } from '../../src/values/plain-peer-url.ts';

test('the parts of a plain peer URL are those that a parser of URLs finds', () => {
  for (const text of ['http://10.0.0.1:2380', 'https://0.0.0.0:1', 'https://255.249.199.99:65535']) {
    const { protocol, hostname, port } = new URL(text);
    assert.deepEqual(plainPeerUrl(text), {
      scheme: protocol.slice(0, -1),
      host: hostname,
      port: Number(port),
    });
  }
});

test('whatever may have another meaning or be wrong is not plain', () => {
  const others = [
    'HTTP://10.0.0.1:2380',
    'http://10.0.0.01:2380',
    'http://10.1:2380',
    'http://256.0.0.1:2380',
    'http://10.0.0.1.:2380',
    'http://10.0.0.1',
    'http://10.0.0.1:0',
    'http://10.0.0.1:02380',
    'http://10.0.0.1:65536',
    'http://10.0.0.1:2380/',
    'http://10.0.0.1:2380\n',
    ' http://10.0.0.1:2380',
    'http://a.example.com:2380',
    'http://[::1]:2380',
    'ftp://10.0.0.1:2380',
  ];
  for (const text of others) assert.equal(plainPeerUrl(text), undefined, text);
});
