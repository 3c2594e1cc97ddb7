import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import type { V2Error } from '../../src/etcdv2/errors.ts';
import { parseRequest } from '../../src/etcdv2/parse.ts';
import type { V2Request } from '../../src/etcdv2/request.ts';
import { anyCharacter } from '../support/any-character.ts';
import { seed } from './seed.ts';

function parse(line: string, form = '', otherBody = false, otherText?: string): V2Request | V2Error {
  const [method = '', target = ''] = line.split(' ');
  return parseRequest({ method, target, form, otherBody, otherText });
}

const member = { name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] };
const registration = 'value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380';
const get = { token: 't', sorted: false };
const anyone = { type: 'WAIT', token: 't', awaited: 'ANY', waitIndex: 0n, stream: false };

suite('requests', () => {
  const understood: ReadonlyArray<[line: string, request: object, form?: string]> = [
    ['GET /new', { type: 'NEW', size: 3 }],
    ['GET /new?size=5', { type: 'NEW', size: 5 }],
    ['PUT /new', { type: 'NEW', size: 7 }, 'size=7'],
    ['POST /new/?size=1', { type: 'NEW', size: 7 }, 'size=7'],
    ['GET /version', { type: 'VERSION' }],
    ['GET /t/_config/size?quorum=false&recursive=false&sorted=false', { type: 'GET_SIZE', token: 't' }],
    ['HEAD /t/_config/size/', { type: 'GET_SIZE', token: 't' }],
    ['GET /t/_config', { type: 'GET_CONFIG', token: 't' }],
    ['GET /t', { type: 'LIST', ...get }],
    ['GET /t/?recursive=true&sorted=T', { type: 'LIST', token: 't', sorted: true }],
    ['GET /t?waitIndex=4&wait=false', { type: 'LIST', ...get }],
    ['GET /v2/keys/_etcd/registry/t/', { type: 'LIST', ...get }],
    ['GET /v2/keys/_etcd/registry/t/_config/size', { type: 'GET_SIZE', token: 't' }],
    ['GET /v2/keys/discovery/t', { type: 'LIST', ...get }],
    ['GET /v2/keys/discovery/t/_config/size', { type: 'GET_SIZE', token: 't' }],
    ['GET /%74', { type: 'LIST', ...get }],
    ['GET /t%2F_config%2Fsize', { type: 'GET_SIZE', token: 't' }],
    ['GET http://10.0.0.1:8087/t', { type: 'LIST', ...get }],
    ['GET /t/8e9e05c52164694d', { type: 'GET_MEMBER', token: 't', id: '8e9e05c52164694d' }],
    ['GET /t?wait=true', { ...anyone, awaited: 'NONE' }],
    ['GET /t?recursive=true&wait=true&waitIndex=11', { ...anyone, waitIndex: 11n }],
    ['GET /t?wait=1&recursive=1&stream=true', { ...anyone, stream: true }],
    ['GET /t/a?recursive=false&wait=true&waitIndex=10', { ...anyone, awaited: { id: 'a' }, waitIndex: 10n }],
    ['PUT /t/_config/size', { type: 'MAKE_TOKEN', token: 't', size: 3, mustBeNew: false }, 'value=3'],
    [
      'PUT /t/_config/size?prevExist=false&value=3',
      { type: 'MAKE_TOKEN', token: 't', size: 3, mustBeNew: true },
    ],
    ['PUT /t/a?prevExist=false', register({ type: 'CREATE' }), registration],
    ['PUT /t/a?prevExist=true', register({ type: 'UPDATE' }), registration],
    [`PUT /t/a?${registration}&ttl=&refresh=false&dir=false`, register({ type: 'SET' })],
    ['PUT /t/a?value=x', register({ type: 'SET' }), registration],
    ['PUT /t/a?prevIndex=9', compare(undefined, 9n), registration],
    ['PUT /t/a?prevIndex=0', register({ type: 'SET' }), registration],
    ['PUT /t/a?prevValue=x&prevExist=true', compare('x', 0n), registration],
    ['PUT /t', { type: 'NOT_A_FILE', token: 't', directory: 'TOKEN' }, 'value=x'],
    ['PUT /t/_config?dir=true', { type: 'NOT_A_FILE', token: 't', directory: 'CONFIG' }],
    ['DELETE /t/a', { type: 'DEREGISTER', token: 't', id: 'a' }],
    ['DELETE /t?recursive=true', { type: 'DELETE_TOKEN', token: 't' }],
    ['DELETE /t?dir=true', { type: 'NOT_EMPTY', token: 't', directory: 'TOKEN' }],
    ['DELETE /t', { type: 'NOT_A_FILE', token: 't', directory: 'TOKEN' }],
    ['GET //t//_config/size?x=1', { type: 'MOVED', location: '/t/_config/size?x=1' }],
    ['GET /a/./b/../t/', { type: 'MOVED', location: '/a/t/' }],
    ['GET //evil.example/%5C', { type: 'MOVED', location: '/evil.example/%5C' }],
    ['GET //\\evil.example', { type: 'MOVED', location: '/%5Cevil.example' }],
    ['GET /%2Fevil.example/..', { type: 'MOVED', location: '/' }],
    [`GET //t?a=<"'>`, { type: 'MOVED', location: "/t?a=%3C%22'%3E" }],
  ];
  for (const [line, request, form] of understood) {
    test(`${line}${form === undefined ? '' : ` with ${form}`}`, () => {
      assert.deepEqual(parse(line, form), request);
    });
  }
});

suite('rejected requests', () => {
  const refused: ReadonlyArray<
    [line: string, status: number, errorCode: number, cause: RegExp, form?: string]
  > = [
    ['GET /', 404, 100, /^the URL has no token; .*\/new returns.*--discovery$/],
    ['GET /_config/size', 404, 100, /^the URL has no token/],
    ['GET /v2/keys/_etcd/registry/_config/size', 404, 100, /^the URL has no token/],
    ['GET /t/a/b', 404, 100, /they have no subkeys/],
    ['GET /t/_config/other', 404, 100, /they have no subkeys/],
    ['GET /t/_config/size/x', 404, 100, /they have no subkeys/],
    ['GET /v2/members', 404, 100, /\/v2\/keys\/_etcd\/registry\/\{token\} and .* of the v2 API$/],
    ['GET /v2', 404, 100, /\/v2\/keys\/_etcd\/registry\/\{token\} and .* of the v2 API$/],
    ['GET /v2/keys/foo', 403, 110, /only .*\/v2\/keys\/discovery\/\{token\}/],
    ['GET /v2/keys', 403, 110, /only .*\/\{token\}/],
    ['GET /v2/keys/_etcd/other/t', 403, 110, /only .*\/\{token\}/],
    ['GET /v2/keys/discovery', 403, 110, /^tokens are secret and cannot be listed/],
    ['GET /v2/keys/discovery/?recursive=true', 403, 110, /^tokens are secret and cannot be listed/],
    ['GET /v2/keys/_etcd/registry/', 403, 110, /^tokens are secret and cannot be listed/],
    ['GET /%zz', 400, 210, /percent-encoded/],
    ['GET /%ff', 400, 210, /percent-encoded/],
    ['GET /t%00', 400, 210, /control characters/],
    ['GET /t%0d%0aSet-Cookie:x', 400, 210, /control characters/],
    ['GET t', 400, 210, /slash/],
    ['GET *', 400, 210, /slash/],
    ['GET /t?x=%zz', 400, 210, /^'x=%zz' is not percent-encoded/],
    ['HEAD /new', 405, 110, /use GET, PUT or POST$/],
    ['DELETE /version', 405, 110, /use GET or HEAD$/],
    ['POST /t', 405, 110, /use HEAD, GET, PUT or DELETE$/, 'value=x'],
    ['POST /t/a', 405, 110, /use HEAD, GET, PUT or DELETE$/, 'value=x'],
    ['PATCH /t', 405, 110, /use HEAD, GET, PUT or DELETE$/],
    ['GET /new?size=', 400, 209, /whole number of members, not ''; .*\/new\?size=3$/],
    ['GET /new?size=-1', 400, 209, /whole number of members, not '-1'/],
    ['GET /new?size=3.5', 400, 209, /whole number of members, not '3\.5'/],
    ['GET /new?size=99999999999', 400, 209, /whole number of members/],
    ['HEAD /t?wait=true', 400, 209, /^"wait" can only be used with GET requests$/],
    ['PUT /t/a?wait=true', 400, 209, /^"wait" can only be used with GET requests$/, registration],
    ['GET /t?recursive=2', 400, 209, /^invalid value for "recursive"$/],
    ['GET /t?sorted=', 400, 209, /^invalid value for "sorted"$/],
    ['GET /t?waitIndex=', 400, 203, /^invalid value for "waitIndex"$/],
    ['PUT /t/a?prevIndex=-1', 400, 203, /^invalid value for "prevIndex"$/, registration],
    ['PUT /t/a?prevValue=', 400, 201, /^"prevValue" cannot be empty$/, registration],
    ['PUT /t/a?prevExist=', 400, 209, /^invalid value for prevExist$/, registration],
    ['PUT /t/a?prevExist=false&prevIndex=1', 400, 209, /contradicts/, registration],
    ['PUT /t/a?dir=true', 400, 209, /only directory/],
    ['PUT /t/a?ttl=60', 400, 209, /^ttl is not supported/, registration],
    ['PUT /t/infra1', 400, 209, /etcd 0\.4: .* etcd 2\.0 /, 'value=http://10.0.0.1:7001&ttl=604800'],
    ['PUT /t/_state?prevExist=false', 400, 209, /by etcd 0\.4: .* etcd 2\.0 /, 'value=started'],
    ['GET /v2/keys/_etcd/registry/t/_state', 400, 209, /by etcd 0\.4: /],
    ['PUT /t/a?refresh=true', 400, 209, /^refresh is not supported/, registration],
    ['PUT /t/a?refresh=x', 400, 209, /^invalid value for refresh$/, registration],
    ['PUT /t/a?noValueOnSuccess=true', 400, 209, /^noValueOnSuccess is not supported/, registration],
    ['PUT /t/a', 400, 209, /^the value is missing; .*; the token is still valid$/],
    ['PUT /t/_config/size', 400, 209, /whole number of members, not 'abc'$/, 'value=abc'],
    ['PUT /t/_config/size', 400, 209, /whole number of members, not ''$/],
    ['PUT /t/_config/size?prevExist=true', 400, 209, /never changes/, 'value=3'],
    ['PUT /t/_config/size?prevValue=3', 400, 209, /never changes/, 'value=5'],
    ['GET /t/_config/size?wait=true', 400, 209, /nothing to wait for/],
    ['GET /t/_config?wait=true&recursive=true', 400, 209, /nothing to wait for/],
    ['DELETE /t/a?prevIndex=4', 400, 209, /^DELETE with prevIndex or prevValue is not supported/],
    ['DELETE /t/_config/size', 403, 110, /DELETE \/\{token\}\?recursive=true$/],
    ['DELETE /t/_config?recursive=true', 403, 110, /DELETE \/\{token\}\?recursive=true$/],
  ];
  for (const [line, status, errorCode, cause, form] of refused) {
    test(`${line}${form === undefined ? '' : ` with ${form}`}`, () => {
      const error = parse(line, form) as V2Error;
      assert.deepEqual(
        [error.type, error.status, error.errorCode, error.index],
        ['ERROR', status, errorCode, 0n],
      );
      assert.match(error.cause, cause);
      assert.equal(error.plain ?? false, line.includes('/new'), 'text for /new, JSON elsewhere');
    });
  }

  const bodies: ReadonlyArray<[line: string, cause: RegExp]> = [
    ['PUT /t/_config/size', /^the body must be application\/x-www-form-urlencoded, .*curl -d value=3$/],
    ['PUT /t/a', /^the body must be application\/x-www-form-urlencoded, .*curl -d value=infra1=http/],
  ];
  for (const [line, cause] of bodies) {
    test(`${line} with a body of another type, which etcd would read as empty`, () => {
      assert.match((parse(line, '', true) as V2Error).cause, cause);
    });
  }

  test('a body of another type is ignored if the query is complete, like in etcd', () => {
    assert.deepEqual(parse('PUT /new?size=4', '', true), { type: 'NEW', size: 4 });
    assert.deepEqual(parse(`PUT /t/a?${registration}`, '', true), register({ type: 'SET' }));
  });
});

function register(condition: object): object {
  return { type: 'REGISTER', token: 't', id: 'a', member, condition };
}

function compare(prevValue: string | undefined, prevIndex: bigint): object {
  return register({ type: 'COMPARE', prevValue, prevIndex });
}

const WORDS =
  `{ {"size":5} / // /.. /. ? & = % %2F %5C %00 %ff \\ t _config size new v2 keys _etcd registry wait true waitIndex
  7 value prevExist http://h`.split(/\s+/);

suite('any input', () => {
  const piece = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: anyCharacter, maxLength: 4 }));
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  const raw = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', ''),
    target: fc.oneof(
      text,
      text.map((rest) => `/${rest}`),
    ),
    form: text,
    otherBody: fc.boolean(),
    otherText: fc.option(text, { nil: undefined }),
  });

  test('is parsed without an exception, and errors are one line', () => {
    fc.assert(
      fc.property(raw, (request) => {
        const parsed = parseRequest(request);
        if (parsed.type !== 'ERROR') return;
        assert.ok(parsed.status >= 400 && parsed.status < 500);
        assert.doesNotMatch(parsed.cause, /[\p{Cc}\u2028\u2029]/u);
      }),
      { seed, numRuns: 5000 },
    );
  });

  test('is redirected only to this host, in a valid header, and not twice', () => {
    let redirects = 0;
    const double = raw.map((request) => ({ ...request, target: `//${request.target}` }));
    fc.assert(
      fc.property(double, (request) => {
        const parsed = parseRequest(request);
        if (parsed.type !== 'MOVED') return;
        redirects += 1;
        assert.match(parsed.location, /^\/(?![/\\])[\x21-\x7e]*$/);
        assert.equal(new URL(parsed.location, 'http://here.example').host, 'here.example');
        assert.notEqual(parseRequest({ ...request, target: parsed.location }).type, 'MOVED');
      }),
      { seed, numRuns: 5000 },
    );
    assert.ok(redirects > 500, `${redirects} redirects occurred`);
  });
});
