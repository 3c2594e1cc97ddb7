import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import {
  contains,
  extentOf,
  isEmpty,
  type KeySpan,
  memberKey as memberText,
  parseKey,
  parseSpan,
  sizeKey as sizeText,
  wholeSpan,
} from '../../src/etcdv3/keys.ts';
import { seed } from '../etcdv2/seed.ts';
import { bytes, membersPrefix, prefix, REGISTRY, text, tokenPrefix } from './etcd.ts';

const T = `${REGISTRY}t`;
const URL_T = `${REGISTRY}http:/10.0.0.9:8087/t`;
const GUIDE_T = `${REGISTRY}http:/10.0.0.9:8087/v2/keys/discovery/t`;
const PATH_T = `${REGISTRY}https:/disc.example.com/a/disc/t`;

function span(from: string, to = ''): KeySpan | undefined {
  return parseSpan(bytes(from), bytes(to));
}

function spanOfPrefix(start: string): KeySpan | undefined {
  const { key, rangeEnd } = prefix(start);
  return parseSpan(key, rangeEnd);
}

suite('keys', () => {
  const cases: ReadonlyArray<[key: string, parsed: object]> = [
    [`${T}/_config/size`, { type: 'SIZE', token: 't', root: T }],
    [`${T}/members/8e9e05c52164694d`, { type: 'MEMBER', token: 't', root: T, id: '8e9e05c52164694d' }],
    [`${URL_T}/members/a`, { type: 'MEMBER', token: 't', root: URL_T, id: 'a' }],
    [`${GUIDE_T}/members/a`, { type: 'MEMBER', token: 't', root: GUIDE_T, id: 'a' }],
    [`${PATH_T}/_config/size`, { type: 'SIZE', token: 't', root: PATH_T }],
    [`${PATH_T}/members/a`, { type: 'MEMBER', token: 't', root: PATH_T, id: 'a' }],
    [`${T}/members/é\0`, { type: 'MEMBER', token: 't', root: T, id: 'é\0' }],
    [T, { type: 'UNKNOWN' }],
    [`${T}/`, { type: 'UNKNOWN' }],
    [`${T}/_config`, { type: 'UNKNOWN' }],
    [`${T}/_config/size/`, { type: 'UNKNOWN' }],
    [`${T}/members`, { type: 'UNKNOWN' }],
    [`${T}/members/`, { type: 'UNKNOWN' }],
    [`${T}/members/a/b`, { type: 'UNKNOWN' }],
    [`${T}//members/a`, { type: 'UNKNOWN' }],
    [`${REGISTRY}http:/10.0.0.9:8087`, { type: 'OUTSIDE' }],
    ['', { type: 'OUTSIDE' }],
    ['\0', { type: 'OUTSIDE' }],
    ['/', { type: 'OUTSIDE' }],
    ['/_etcd/registry', { type: 'OUTSIDE' }],
    [REGISTRY, { type: 'OUTSIDE' }],
    [`${REGISTRY}/members/a`, { type: 'OUTSIDE' }],
    [`/_etcd/Registry/t/members/a`, { type: 'OUTSIDE' }],
    [`x${T}/members/a`, { type: 'OUTSIDE' }],
  ];
  for (const [key, parsed] of cases) {
    test(JSON.stringify(key), () => assert.deepEqual(parseKey(bytes(key)), parsed));
  }
});

suite('spans', () => {
  const keys = [
    sizeText({ token: 't', root: T }),
    memberText({ token: 't', root: T }, 'a'),
    `${T}/members/b`,
  ];

  function held(of: KeySpan | undefined): string[] {
    assert.ok(of);
    return keys.filter((key) => contains(of, key));
  }

  test('one key', () => {
    assert.deepEqual(held(span(`${T}/members/a`)), [`${T}/members/a`]);
    assert.deepEqual(held(span(`${T}/members/`)), []);
    assert.deepEqual(held(span(T)), []);
  });

  test('a prefix, with and without the slash', () => {
    assert.deepEqual(held(spanOfPrefix(T)), keys);
    assert.deepEqual(held(spanOfPrefix(`${T}/`)), keys);
    assert.deepEqual(held(spanOfPrefix(`${T}/members`)), keys.slice(1));
    assert.deepEqual(held(spanOfPrefix(`${T}/members/`)), keys.slice(1));
    assert.deepEqual(held(spanOfPrefix(`${T}/_`)), keys.slice(0, 1));
  });

  test('a range from one key to another', () => {
    assert.deepEqual(held(span(`${T}/members/a`, `${T}/members/b`)), [`${T}/members/a`]);
    assert.deepEqual(held(span(`${T}/`, `${T}/members/b`)), keys.slice(0, 2));
  });

  test('a range that ends at or before its start is empty', () => {
    for (const end of [`${T}/members/b`, `${T}/members/a`, '/', '.']) {
      const empty = span(`${T}/members/b`, end);
      assert.ok(empty && isEmpty(empty));
      assert.deepEqual(held(empty), []);
    }
  });

  const outside: ReadonlyArray<[why: string, from: string, to?: string]> = [
    ['everything', '\0', '\0'],
    ['from a key of the token on', `${T}/members/a`, '\0'],
    ['from the empty key on', '', '\0'],
    ['all tokens', REGISTRY, '/_etcd/registry0'],
    ['all tokens, without the slash', '/_etcd/registry', '/_etcd/registrz'],
    ['beyond the token', `${T}/`, `${T}1`],
    ['beyond the token, by one byte', `${T}/members`, `${T}0\0`],
    ['from one token to another', `${T}/members/a`, `${REGISTRY}u/members/a`],
    ['from before the keys of a token', T, `${T}/members`],
    ['every URL', `${REGISTRY}http:/`, `${REGISTRY}http:0`],
    ['the URLs of a host', `${REGISTRY}https:/10.0.0.9/`, `${REGISTRY}https:/10.0.0.90`],
    ['to tokens with a longer name', T, `${T}-x/members`],
  ];
  for (const [why, from, to] of outside) {
    test(`is not a span of one token: ${why}`, () => {
      assert.equal(span(from, to), undefined);
    });
  }

  test('tokens with a common prefix are separate', () => {
    const other = `${REGISTRY}t-2/members/a`;
    for (const of of [spanOfPrefix(T), spanOfPrefix(`${T}/`), spanOfPrefix(`${T}/members`)]) {
      assert.ok(of && !contains(of, other));
    }
    assert.equal(spanOfPrefix(`${REGISTRY}t-2`)?.token, 't-2');
  });

  test('the meaning of a deletion of a span', () => {
    const extents: ReadonlyArray<[KeySpan | undefined, string]> = [
      [spanOfPrefix(T), 'TOKEN'],
      [spanOfPrefix(`${T}/`), 'TOKEN'],
      [span(`${T}/_config/size`, `${T}/n`), 'TOKEN'],
      [spanOfPrefix(`${T}/members`), 'MEMBERS'],
      [spanOfPrefix(`${T}/members/`), 'MEMBERS'],
      [span(`${T}/members/a`), 'MEMBERS'],
      [span(`${T}/members/a`, `${T}/members/c`), 'MEMBERS'],
      [span(`${T}/x`), 'MEMBERS'],
      [span(`${T}/_config/size`), 'SIZE'],
      [spanOfPrefix(`${T}/_config`), 'SIZE'],
      [span(`${T}/`, `${T}/members/b`), 'SIZE'],
    ];
    for (const [of, extent] of extents) {
      assert.ok(of);
      assert.equal(extentOf(of), extent, `${of.from} to ${of.to}`);
    }
  });
});

suite('any bytes', () => {
  const parameters = { seed, numRuns: 3000 };
  const anyBytes = fc.uint8Array({ maxLength: 40 });
  const token = fc.stringMatching(/^[A-Za-z0-9.~-][A-Za-z0-9._~-]{0,6}$/);
  const id = fc.stringMatching(/^[A-Za-z0-9.~-][A-Za-z0-9._~-]{0,6}$/);
  // Likely to be close to a boundary.
  const piece = fc.constantFrom(
    '/',
    '0',
    '\0',
    '-',
    '.',
    '~',
    'ÿ',
    '_config/size',
    'members',
    'members/',
    'a',
    't',
  );
  const near = fc
    .tuple(
      fc.constantFrom(REGISTRY, T, `${T}/`, URL_T, `${REGISTRY}http:/`, ''),
      fc.array(piece, { maxLength: 4 }),
    )
    .map(([start, pieces]) => bytes(start + pieces.join('')));
  const key = fc.oneof(anyBytes, near);

  test('never throws', () => {
    fc.assert(
      fc.property(key, key, (from, to) => {
        parseKey(from);
        const found = parseSpan(from, to);
        if (found !== undefined) extentOf(found);
      }),
      parameters,
    );
  });

  test('a span never contains a key of another token', () => {
    fc.assert(
      fc.property(key, key, token, id, fc.boolean(), (from, to, other, id, isUrl) => {
        const found = parseSpan(from, to);
        if (found === undefined || found.token === other) return;
        const place = { token: other, root: `${REGISTRY}${isUrl ? 'http:/10.0.0.9:8087/' : ''}${other}` };
        assert.ok(!contains(found, sizeText(place)));
        assert.ok(!contains(found, memberText(place, id)));
      }),
      parameters,
    );
  });

  test('a span contains what etcd would return of its token', () => {
    fc.assert(
      fc.property(near, near, id, (from, to, id) => {
        const found = parseSpan(from, to);
        if (found === undefined || to.length === 0) return;
        const member = memberText(found, id);
        const inEtcd = Buffer.compare(bytes(member), from) >= 0 && Buffer.compare(bytes(member), to) < 0;
        assert.equal(contains(found, member), inEtcd);
      }),
      parameters,
    );
  });

  test("a token's keys parse into their parts, and are in its spans", () => {
    fc.assert(
      fc.property(token, id, (token, id) => {
        const place = { token, root: `${REGISTRY}${token}` };
        const size = sizeText(place);
        const member = memberText(place, id);
        assert.deepEqual(parseKey(bytes(size)), { type: 'SIZE', ...place });
        assert.deepEqual(parseKey(bytes(member)), { type: 'MEMBER', ...place, id });
        const { key, rangeEnd } = tokenPrefix(token);
        assert.deepEqual(parseSpan(key, rangeEnd), wholeSpan(place));
        assert.ok(contains(wholeSpan(place), size) && contains(wholeSpan(place), member));
        const members = membersPrefix(token);
        const found = parseSpan(members.key, members.rangeEnd);
        assert.ok(found && contains(found, member) && !contains(found, size));
        assert.equal(text(bytes(member)), member);
      }),
      parameters,
    );
  });
});
