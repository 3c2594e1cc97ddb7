import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { REQUEST_LIMITS } from '../../../src/limits.ts';
import { ClientTable } from '../../../src/server/clients/client-table.ts';
import { clientBehind, hopsOfForwarded, hopsOfForwardedFor } from '../../../src/server/clients/forwarded.ts';
import { Limiter } from '../../../src/server/clients/limiter.ts';
import { covers, type Ip, isOwn, networkOf, parseCidrs, parseIp } from '../../../src/values/ip.ts';
import { parseRate } from '../../../src/values/rate.ts';
import { type Rate, take } from '../../../src/values/token-bucket.ts';
import { slow } from '../../slow.ts';
import { anyCharacter } from '../../support/any-character.ts';

const ip = (text: string): Ip => {
  const parsed = parseIp(text);
  assert.ok(parsed, text);
  return parsed;
};
const cidrs = (text: string) => parseCidrs(text) ?? assert.fail(text);

suite('addresses', () => {
  test('reads every address that Node.js accepts, and nothing else', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.string(),
      fc.string({ unit: anyCharacter }),
    );
    fc.assert(
      fc.property(text, (each) => {
        const parsed = parseIp(each);
        const bare = each.includes('%') ? each.slice(0, each.indexOf('%')) : each;
        assert.equal(parsed !== undefined, isIP(bare) !== 0, each);
        if (parsed === undefined) return;
        assert.equal(parseIp(parsed), parsed);
      }),
    );
  });

  test('a network covers the addresses that share its first bits, within and across both families', () => {
    const MAPPED = 0xffffn << 32n;
    const v4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((low) => MAPPED + low);
    const address = fc.oneof(v4, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }));
    const groups = (bits: bigint): string =>
      (bits + 2n ** 128n)
        .toString(16)
        .slice(1)
        .replace(/(?<=.)(?=(?:.{4})+$)/g, ':');
    const dotted = (bits: bigint): string => [24n, 16n, 8n, 0n].map((by) => (bits >> by) & 255n).join('.');
    const written = (bits: bigint, asV6: boolean): string =>
      bits >> 32n === 0xffffn && !asV6 ? dotted(bits) : groups(bits);
    fc.assert(
      fc.property(
        address,
        address,
        fc.nat({ max: 128 }),
        fc.nat({ max: 128 }),
        fc.tuple(fc.boolean(), fc.boolean()),
        (base, random, length, differs, [baseAsV6, otherAsV6]) => {
          const other = differs === 128 ? random : base ^ (1n << BigInt(127 - differs));
          const network = written(base, baseAsV6);
          const bits = isIP(network) === 4 ? 96 + (length % 33) : length;
          const cidr = `${network}/${isIP(network) === 4 ? bits - 96 : bits}`;
          const shares = (base ^ other) >> BigInt(128 - bits) === 0n;
          assert.equal(covers(cidrs(cidr), ip(written(other, otherAsV6))), shares, cidr);
        },
      ),
      { numRuns: 1000 },
    );
    assert.equal(covers(undefined, ip('127.0.0.1')), false);
  });

  test('one client is an IPv4 address, in any spelling, or an IPv6 /64', () => {
    assert.equal(networkOf(ip('192.0.2.7')), '192.0.2.7');
    assert.equal(networkOf(ip('::ffff:192.0.2.7')), '192.0.2.7');
    assert.equal(networkOf(ip('::ffff:c000:207')), '192.0.2.7');
    assert.equal(networkOf(ip('2001:db8:0:7::1')), '2001:db8:0:7::/64');
    assert.equal(networkOf(ip('2001:db8:0:7:ffff:ffff:ffff:ffff')), '2001:db8:0:7::/64');
    assert.notEqual(networkOf(ip('2001:db8:0:8::1')), networkOf(ip('2001:db8:0:7::1')));
    assert.ok(isOwn(ip('127.0.0.1')) && isOwn(ip('::1')) && isOwn(ip('::ffff:127.0.0.1')));
    assert.ok(!isOwn(ip('127.0.0.2')) && !isOwn(ip('128.0.0.1')) && !isOwn(ip('::2')));
    assert.equal(ip('fe80::1%eth0'), 'fe80::1');
  });
});

suite('the client behind proxies', () => {
  const TRUSTED = cidrs('10.0.0.0/8,2001:db8:1::/48');
  const behind = (peer: string, forwardedFor?: string, forwarded?: string): string =>
    clientBehind(ip(peer), { forwardedFor, forwarded }, TRUSTED);

  for (const [what, peer, forwardedFor, forwarded, client] of [
    ['only the named proxies are trusted', '192.0.2.1', '198.51.100.7', undefined, '192.0.2.1'],
    ['a proxy names the client', '10.0.0.1', '198.51.100.7', undefined, '198.51.100.7'],
    [
      'what the client itself sends does not count',
      '10.0.0.1',
      '1.1.1.1, 198.51.100.7',
      undefined,
      '198.51.100.7',
    ],
    ['a chain of proxies', '10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.2', undefined, '198.51.100.7'],
    ['only proxies', '10.0.0.1', '10.0.0.3,10.0.0.2', undefined, '10.0.0.3'],
    ['with a port', '10.0.0.1', '198.51.100.7:4711', undefined, '198.51.100.7'],
    ['IPv6', '2001:db8:1::5', '2001:db8:2::7', undefined, '2001:db8:2::7'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8:2::7]:4711', undefined, '2001:db8:2::7'],
    ['an invalid address', '10.0.0.1', '198.51.100.7, unknown', undefined, '10.0.0.1'],
    ['nothing', '10.0.0.1', '', undefined, '10.0.0.1'],
    [
      'RFC 7239',
      '10.0.0.1',
      undefined,
      'for=1.1.1.1, For=198.51.100.7;proto=https;by=10.0.0.1',
      '198.51.100.7',
    ],
    ['RFC 7239, IPv6', '10.0.0.1', undefined, 'proto=http ; for="[2001:db8:2::7]:4711"', '2001:db8:2::7'],
    [
      'RFC 7239, a comma in quotes',
      '10.0.0.1',
      undefined,
      'for=198.51.100.7;ext="a,for=1.1.1.1"',
      '198.51.100.7',
    ],
    ['RFC 7239, an unclosed quote', '10.0.0.1', undefined, '"for=1.1.1.1, for=198.51.100.7', '10.0.0.1'],
    ['RFC 7239, a hidden hop', '10.0.0.1', undefined, 'for=198.51.100.7, for=_secret', '10.0.0.1'],
    ['RFC 7239, a duplicate parameter', '10.0.0.1', undefined, 'for=198.51.100.7;for=1.1.1.1', '10.0.0.1'],
    ['both headers agree', '10.0.0.1', '198.51.100.7', 'for=198.51.100.7', '198.51.100.7'],
    [
      'one header from the proxy and one from the client',
      '10.0.0.1',
      '198.51.100.7',
      'for=1.1.1.1',
      '10.0.0.1',
    ],
  ] as const) {
    test(what, () => assert.equal(behind(peer, forwardedFor, forwarded), client));
  }

  test("the proxy's own entry counts, whatever the client sent before it", () => {
    const garbage = fc.oneof(fc.string(), fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())).map(String));
    fc.assert(
      fc.property(garbage, (sent) => {
        assert.equal(behind('10.0.0.1', `${sent}, 198.51.100.7`), '198.51.100.7');
        hopsOfForwarded(sent);
        assert.ok(hopsOfForwardedFor(sent).length <= 16);
      }),
    );
  });

  test('a client that hides behind a local proxy has the limits of any client', () => {
    const limits = {
      requests: 'off',
      newTokens: 'off',
      bytes: 'off',
      connections: 9,
      requestsAtOnce: 9,
      watches: 9,
    } as const;
    const log = { warn: () => {} };
    const limiter = new Limiter({ limits, maxWatches: 9, trustedProxies: cidrs('127.0.0.1,::1'), log });
    const nameOf = (remoteAddress: string, headers: object): string | undefined =>
      limiter.visitorOf({ socket: { remoteAddress }, headers } as never).client?.name;
    const real = { 'x-forwarded-for': '198.51.100.7' };
    assert.equal(nameOf('127.0.0.1', real), '198.51.100.7');
    for (const headers of [
      { ...real, forwarded: 'for=1.1.1.1' },
      { ...real, forwarded: '"' },
      { 'x-forwarded-for': 'unknown' },
      { 'x-forwarded-for': '198.51.100.7, unknown' },
    ]) {
      assert.equal(nameOf('127.0.0.1', headers), '127.0.0.1', JSON.stringify(headers));
      assert.equal(nameOf('::1', headers), '0:0:0:0::/64', JSON.stringify(headers));
    }
    assert.equal(nameOf('127.0.0.1', {}), undefined, 'local clients have no limits');
  });

  test('a header of commas only is parsed in bounded time', () => {
    const commas = ','.repeat(16_000);
    assert.ok(hopsOfForwardedFor(commas).length <= 16 && hopsOfForwarded(commas).length <= 16);
  });
});

suite('a bucket', () => {
  const rate = parseRate('2/s:10') as Rate;

  test('gives its burst at once, and then its rate', () => {
    let full = 0;
    const tryAt = (now: number): number | undefined => {
      const taken = take(rate, full, now);
      if ('wait' in taken) return taken.wait;
      full = taken.full;
      return undefined;
    };
    for (let i = 0; i < 10; i += 1) assert.equal(tryAt(1000), undefined);
    assert.equal(tryAt(1000), 500);
    assert.equal(tryAt(1499), 1);
    assert.equal(tryAt(1500), undefined);
    assert.equal(tryAt(1500), 500);
    for (let i = 0; i < 10; i += 1)
      assert.equal(tryAt(100_000), undefined, 'it is full again, but not fuller');
    assert.equal(tryAt(100_000), 500);
  });

  test('gives exactly its burst and its rate', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2000 })), (pauses) => {
        let [now, full, taken] = [0, 0, 0];
        for (const pause of pauses) {
          now += pause;
          const answer = take(rate, full, now);
          if ('wait' in answer) {
            assert.ok('full' in take(rate, full, now + answer.wait), 'one is available after the wait');
            continue;
          }
          full = answer.full;
          taken += 1;
        }
        assert.ok(taken <= 10 + now / 500);
      }),
    );
  });

  test('is written as RATE/UNIT:BURST', () => {
    assert.equal(parseRate('off'), 'off');
    assert.deepEqual(parseRate('500/h:10'), { burst: 10, interval: 7200 });
    fc.assert(fc.property(fc.string(), (text) => void parseRate(text)));
  });
});

suite('the table of clients', () => {
  const many = slow ? 1_000_000 : 200_000;
  test(`stays bounded under ${many} addresses that each use something up`, () => {
    const clients = new ClientTable();
    const held = clients.of('held', 0);
    held.connections = 1;
    for (let i = 0; i < many; i += 1) {
      clients.of(`2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::/64`, i).newTokensFull =
        1e9;
      if (clients.size > REQUEST_LIMITS.clients + 1) assert.fail(`${clients.size} clients`);
    }
    assert.equal(clients.of('held', many), held, 'a client with something open is kept');
  });

  test('forgets clients with full buckets as others come', () => {
    const clients = new ClientTable();
    for (let i = 0; i < 10_000; i += 1) clients.of(`early ${i}`, 0).requestsFull = 1000;
    for (let i = 0; i < 10_000; i += 1) clients.of(`late ${i}`, 1000).requestsFull = 2000;
    assert.ok(clients.size < 10_010, `${clients.size} clients`);
  });

  test('the last tenth of a burst is for requests that are not retried', () => {
    const limits = {
      requests: parseRate('1/s:20') as Rate,
      newTokens: 'off',
      bytes: 'off',
      connections: 1,
      requestsAtOnce: 100,
      watches: 100,
    } as const;
    const log = { warn: () => {} };
    const limiter = new Limiter({ limits, maxWatches: 100, trustedProxies: undefined, log, now: () => 1 });
    const { client } = limiter.visitorOf({ socket: { remoteAddress: '192.0.2.1' }, headers: {} } as never);
    assert.ok(client);
    const enter = (mustPass: boolean): DiscoveryError | undefined => {
      const entered = limiter.enter(client, { isWait: false, mustPass });
      return entered instanceof DiscoveryError ? entered : undefined;
    };
    for (let i = 0; i < 18; i += 1) assert.equal(enter(false), undefined);
    assert.equal(enter(false)?.reason, 'TOO_MANY_REQUESTS');
    assert.equal(enter(true), undefined);
    assert.equal(enter(true), undefined);
    assert.match(
      enter(true)?.message ?? '',
      /\b192\.0\.2\.1 reached its rate limit for requests; try again in 1 s$/,
    );
  });
});
