import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { peerWarnings } from '../../src/values/peer-warnings.ts';

/** Returns the members a, b, c and so on at the given URLs. A space separates several URLs of one member. */
function cluster(...urls: readonly string[]): ReadonlyArray<{ name: string; peerUrls: string[] }> {
  return urls.map((each, i) => ({ name: String.fromCharCode(97 + i), peerUrls: each.split(' ') }));
}

/** Returns each warning as `KIND: a b`. */
function warningsFor(...urls: readonly string[]): string[] {
  return peerWarnings(cluster(...urls)).map(({ kind, members }) => `${kind}: ${members.join(' ')}`);
}

const usual: ReadonlyArray<readonly [what: string, ...urls: string[]]> = [
  ['nobody'],
  ['one node on loopback', 'http://localhost:2380'],
  ['all on loopback', 'http://127.0.0.1:2380', 'http://localhost:2381', 'http://[::1]:2382'],
  ['addresses of loopback that differ', 'http://127.0.0.1:2380', 'http://127.0.0.2:2380'],
  ['one port on all hosts', 'http://10.0.0.1:2380', 'http://10.0.0.2:2380', 'http://10.0.0.3:2380'],
  ['names and addresses', 'https://a.example.com:2380', 'https://10.0.0.2:2380'],
  ['many nodes on one host', 'http://10.0.0.1:2380', 'http://10.0.0.1:2382', 'http://10.0.0.1:2384'],
  [
    'two nodes on one of three hosts',
    'http://10.0.0.1:2380',
    'http://10.0.0.2:2380',
    'http://10.0.0.3:2380',
    'http://10.0.0.3:12380',
  ],
  ['a port for each host', 'http://10.0.0.1:12380', 'http://10.0.0.2:22380', 'http://10.0.0.3:32380'],
  ['two different ports, which is common', 'http://10.0.0.1:2380', 'http://10.0.0.2:2381'],
  [
    'two ports that some share',
    'http://10.0.0.1:2380',
    'http://10.0.0.2:2380',
    'http://10.0.0.3:2380',
    'http://10.0.0.4:7001',
    'http://10.0.0.5:7001',
  ],
  ['the port for clients on all hosts', 'http://10.0.0.1:2379', 'http://10.0.0.2:2379'],
  ['the ports for clients and for peers on one host', 'http://10.0.0.1:2379', 'http://10.0.0.1:2380'],
  ['a second address at loopback', 'http://10.0.0.1:2380 http://127.0.0.1:2380', 'http://10.0.0.2:2380'],
  ['full names that begin alike', 'http://etcd.a.example.com:2380', 'http://etcd.b.example.com:2380'],
  ['a short name at another port', 'http://a:2380', 'http://a.example.com:2381'],
];

suite('a working configuration causes no warning:', () => {
  for (const [what, ...urls] of usual) test(what, () => assert.deepEqual(warningsFor(...urls), []));
});

const unusual: ReadonlyArray<readonly [what: string, expected: readonly string[], ...urls: string[]]> = [
  ['loopback beside others', ['LOOPBACK: b'], 'http://10.0.0.1:2380', 'http://localhost:2380'],
  [
    'every spelling of loopback',
    ['LOOPBACK: b c d'],
    'http://10.0.0.1:2380',
    'http://127.9.9.9:2380',
    'http://[::1]:2380',
    'http://etcd.localhost:2380',
  ],
  ['http beside https', ['MIXED_SCHEMES: c'], 'https://h1:2380', 'https://h2:2380', 'http://h3:2380'],
  ['https beside http', ['MIXED_SCHEMES: a'], 'https://h1:2380', 'http://h2:2380', 'http://h3:2380'],
  ['localhost and 127.0.0.1', ['SAME_ADDRESS: a b'], 'http://localhost:2380', 'http://127.0.0.1:2380'],
  ['a short and a full name', ['SAME_ADDRESS: a b'], 'http://H1:2380', 'http://h1.example.com:2380'],
  ['a full name before the short one', ['SAME_ADDRESS: a b'], 'http://h1.example.com:2380', 'http://h1:2380'],
  [
    'a name with a dot at its end',
    ['SAME_ADDRESS: a b'],
    'http://h1.example.com:1',
    'http://h1.example.com.:1',
  ],
  ['an address of IPv4 as IPv6', ['SAME_ADDRESS: a b'], 'http://10.0.0.1:1', 'http://[::ffff:10.0.0.1]:1'],
  ['an address of IPv4 in hexadecimal', ['SAME_ADDRESS: a b'], 'http://10.0.0.1:1', 'http://0x0a000001:1'],
  [
    'one port with two schemes',
    ['MIXED_SCHEMES: a', 'SAME_ADDRESS: a b'],
    'http://10.0.0.1:2380',
    'https://10.0.0.1:2380',
  ],
  ['the port for clients', ['ODD_PORT: b'], 'http://10.0.0.1:2380', 'http://10.0.0.2:2379'],
  [
    'a port of its own',
    ['ODD_PORT: c'],
    'http://10.0.0.1:2380',
    'http://10.0.0.2:2380',
    'http://10.0.0.3:2830',
  ],
  [
    'two ports of their own, among five',
    ['ODD_PORT: a e'],
    'http://10.0.0.1:2381',
    'http://10.0.0.2:2380',
    'http://10.0.0.3:2380',
    'http://10.0.0.4:2380',
    'http://10.0.0.5:2382',
  ],
];

suite('a likely mistake causes a warning that names the members:', () => {
  for (const [what, expected, ...urls] of unusual)
    test(what, () => assert.deepEqual(warningsFor(...urls), expected));
});

test('the text shows the URLs, and only some of many members', () => {
  const urls = Array.from({ length: 1000 }, (_, i) => `http://127.0.0.1:${i + 1}`);
  const [warning] = peerWarnings(cluster('http://10.0.0.1:2380', ...urls));
  assert.equal(warning?.members.length, 32);
  assert.match(warning.text, /\(http:\/\/127\.0\.0\.1:1\).* 997 more /);
  assert.ok(warning.text.length < 400);
});

test('ignores what is not a URL', () => {
  assert.deepEqual(warningsFor('nonsense', 'http://10.0.0.1:2380', 'ftp://10.0.0.1:2380'), []);
});

test('bounds the number of warnings for a large cluster, and the names in each', () => {
  const pairs = Array.from({ length: 1000 }, (_, i) => ({
    name: `n${i}`,
    peerUrls: [`http://host-${i >> 1}${i % 2 === 0 ? '' : '.'}:2380`],
  }));
  const shared = peerWarnings(pairs);
  assert.deepEqual(shared.map(({ kind, members }) => `${kind}: ${members.join(' ')}`).slice(0, 2), [
    'SAME_ADDRESS: n0 n1',
    'SAME_ADDRESS: n2 n3',
  ]);
  assert.equal(shared.length, 16);
  const local = pairs.map(({ name }, i) => ({
    name,
    peerUrls: [i < 500 ? `http://127.0.0.1:${i + 1}` : `http://a${i}:1`],
  }));
  const [first] = peerWarnings(local);
  assert.equal(first?.members.length, 32);
  assert.match(first?.text ?? '', /and 497 more have a loopback address/);
});
