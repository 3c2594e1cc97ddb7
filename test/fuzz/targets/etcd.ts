// Requests of etcd nodes: the v2 dialect, members' values, keys of the v3 dialect.

import assert from 'node:assert/strict';
import { formatValue, parseValue } from '../../../src/etcd/value.ts';
import { MESSAGES } from '../../../src/etcdv2/errors.ts';
import { parseRequest } from '../../../src/etcdv2/parse.ts';
import type { RawRequest } from '../../../src/etcdv2/request.ts';
import {
  contains,
  extentOf,
  isEmpty,
  memberKey,
  parseKey,
  parseSpan,
  sizeKey,
} from '../../../src/etcdv3/keys.ts';
import { surfaceOf } from '../../../src/server/http/classify.ts';
import { redactPath } from '../../../src/server/telemetry/redact.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

/** `METHOD TARGET`, followed by a form. `!` before the method: the body has another type. */
function rawRequest(input: Buffer): RawRequest {
  const text = input.toString('latin1');
  const end = text.includes('\n') ? text.indexOf('\n') : text.length;
  const [, other, method = '', target = ''] = /^(!?)(\S*) ?(.*)$/s.exec(text.slice(0, end)) ?? [];
  // A body is decoded, a request line is not.
  return { method, target, form: input.subarray(end + 1).toString(), otherBody: other === '!' };
}

const v2Request: Target = {
  name: 'v2-request',
  words:
    `GET PUT POST DELETE HEAD PATCH / // /.. /. ? & = %2F %5C /t /new /version /v2/keys/_etcd/registry/ /v2/keys/discovery/ _config
    _config/size size= value= wait=true recursive=true sorted=true stream=true waitIndex= prevExist=false prevExist=
    prevIndex= prevValue= dir=true ttl= refresh= quorum=true noValueOnSuccess=true infra1=http://10.0.0.1:2380
    infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380 http://h http://h/ https://`.split(/\s+/),
  check(input) {
    const raw = rawRequest(input);
    const parsed = parseRequest(raw);
    if (parsed.type === 'ERROR') {
      assert.ok(parsed.status >= 400 && parsed.status < 500, `status ${parsed.status}`);
      assert.ok(Object.hasOwn(MESSAGES, parsed.errorCode));
      assertFit(parsed.cause);
    }
    if (parsed.type === 'MOVED') {
      assert.match(parsed.location, /^\/(?![/\\])[\x21-\x7e]*$/);
      assert.equal(new URL(parsed.location, 'http://here.example').host, 'here.example');
      assert.notEqual(parseRequest({ ...raw, target: parsed.location }).type, 'MOVED');
    }
    if ('size' in parsed) assert.ok(Number.isSafeInteger(parsed.size) && parsed.size >= 0);
    if ('member' in parsed) assert.deepEqual(parseValue(formatValue(parsed.member)), parsed.member);
    if (parsed.type === 'WAIT') assert.ok(parsed.waitIndex >= 0n && parsed.waitIndex < 2n ** 64n);
    if ('token' in parsed) {
      assert.doesNotMatch(parsed.token, /[/\p{Cc}]/u, 'a token is one path segment');
      assertHidden(raw.target, parsed.token);
    }
    surfaceOf(raw.target, raw.method, raw.form);
  },
};

/** Asserts that the log of a request has no whole token. Tokens shorter than issued ones can be a word of a path. */
function assertHidden(target: string, token: string): void {
  const words =
    /^(new|health|livez|readyz|robots\.txt|openapi\.json|metrics|version|favicon\.ico|v2|_page|_etcd|_config)$/;
  if (token.length < 16 || words.test(token)) return;
  const logged = redactPath(target);
  assert.ok(!logged.includes(token) || target.startsWith('/discovery.v1.'), `the log contains ${logged}`);
}

const memberValue: Target = {
  name: 'member-value',
  words: [
    'infra1=http://10.0.0.1:2380',
    'name=',
    '=',
    ',',
    'http://',
    'https://[::1]:2380',
    ',infra1=',
    '==',
  ],
  check(input) {
    const text = input.toString();
    const parsed = parseValue(text);
    if (typeof parsed === 'string') return assertFit(parsed);
    assert.equal(formatValue(parsed), text, 'a value reads back as it was written');
    assert.ok(parsed.peerUrls.length > 0);
  },
};

const v3Keys: Target = {
  name: 'v3-keys',
  words:
    `/_etcd/registry/ /_etcd/registry/t /_etcd/registry/t/members /_etcd/registry/t/members/ /_config/size
    /_etcd/registry/t0 /_etcd/registry/t/members0 /members/a http:/h:1/ http://h:1/ https:// /v2/keys/_etcd/registry/
    health`.split(/\s+/),
  /** A key, and after a line feed the end of a range. */
  check(input) {
    const at = input.indexOf(10);
    const [key, end] = at < 0 ? [input, Buffer.alloc(0)] : [input.subarray(0, at), input.subarray(at + 1)];
    const parsed = parseKey(key);
    if (parsed.type === 'SIZE') assert.equal(sizeKey(parsed), key.toString('latin1'));
    if (parsed.type === 'MEMBER') assert.equal(memberKey(parsed, parsed.id), key.toString('latin1'));
    const span = parseSpan(key, end);
    if (span === undefined) return assertNoKeyOfOurs(parsed.type, end);
    assert.ok(span.token !== '' && !span.token.includes('/'), 'a span is of one token');
    assert.ok(span.root.startsWith('/_etcd/registry/') && span.root.endsWith(span.token));
    // No span contains keys of the tokens before and after, or of tokens with the same prefix.
    for (const other of [`${span.root}0`, `${span.root}-`, span.root.slice(0, -1), `${span.root}.x`]) {
      const place = { token: 'other', root: other };
      for (const foreign of [sizeKey(place), memberKey(place, 'a')]) {
        assert.ok(!contains(span, foreign) || foreign.startsWith(`${span.root}/`), `it contains ${foreign}`);
      }
    }
    if (isEmpty(span)) assert.ok(!contains(span, sizeKey(span)));
    assert.equal(extentOf(span) === 'MEMBERS', !contains(span, sizeKey(span)));
    if (end.length === 0) assert.ok(contains(span, key.toString('latin1')));
  },
};

function assertNoKeyOfOurs(type: string, end: Buffer): void {
  // One key under a token is always a span.
  if (end.length === 0) assert.equal(type, 'OUTSIDE');
}

export const ETCD_TARGETS: readonly Target[] = [v2Request, memberValue, v3Keys];
