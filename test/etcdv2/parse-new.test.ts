import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import type { V2Error } from '../../src/etcdv2/errors.ts';
import { parseRequest } from '../../src/etcdv2/parse.ts';
import { asksForNew } from '../../src/etcdv2/parse-new.ts';
import { refuseUnread } from '../../src/etcdv2/refusal.ts';
import type { V2Request } from '../../src/etcdv2/request.ts';

const asForm = (target: string, form: string): V2Request | V2Error =>
  parseRequest({ method: 'POST', target, form, otherBody: false });
const asOther = (target: string, otherText: string): V2Request | V2Error =>
  parseRequest({ method: 'POST', target, form: '', otherBody: true, otherText });

suite('a size for /new', () => {
  for (const [body, size] of [
    ['{"size":5}', 5],
    [' {\r\n "size" : "5" }\n', 5],
    ['{"size":1,"size":7}', 7],
    ['{}', 3],
    ['', 3],
  ] as const) {
    test(`${JSON.stringify(body)} is ${size}, as JSON and as curl -d sends it`, () => {
      assert.deepEqual(asOther('/new', body), { type: 'NEW', size });
      assert.deepEqual(asForm('/new', body), { type: 'NEW', size });
    });
  }

  test('in JSON overrides that of the query, like in a form', () => {
    assert.deepEqual(asOther('/new?size=4', '{"size":5}'), { type: 'NEW', size: 5 });
    assert.deepEqual(asForm('/new?size=4', 'size=5'), { type: 'NEW', size: 5 });
    assert.deepEqual(asOther('/new?size=4', '{}'), { type: 'NEW', size: 4 });
  });
});

suite('/new rejects, naming the value and the size parameter,', () => {
  const refused = (parsed: V2Request | V2Error, sent: string): void => {
    assert.ok(parsed.type === 'ERROR');
    const { status, errorCode, plain, cause } = parsed;
    assert.deepEqual([status, errorCode, plain], [400, 209, true]);
    assert.ok(cause.includes(`'${sent}'`), cause);
    assert.match(cause, /\/new\?size=3/);
  };

  for (const name of ['Size', 'SIZE', 'cluster_size', 'n', 'value', 'sizes', '__proto__']) {
    test(`the parameter ${name}`, () => {
      refused(asForm(`/new?${name}=5`, ''), `${name}=5`);
      refused(asForm('/new', `${name}=5`), `${name}=5`);
      refused(asForm(`/new?size=3&${name}=5`, ''), `${name}=5`);
      refused(asOther('/new', `{"size":3,"${name}":5}`), `{"${name}":5}`);
    });
  }

  for (const form of ['5', 'three nodes', '[5]', '"5"']) {
    test(`the body ${form} as a form and as text`, () => {
      refused(asForm('/new', form), form);
      refused(asOther('/new', form), form);
    });
  }

  for (const json of ['{', '{"size":5', "{'size':5}", '{size:5}', '{"size":5}&size=3']) {
    test(`the invalid JSON ${json}`, () => {
      refused(asForm('/new', json), json);
      refused(asOther('/new', json), json);
    });
  }

  for (const value of ['null', 'true', '[5]', '5.5', '-1', '""', '{"n":5}', '1e21']) {
    test(`the JSON size ${value}`, () => {
      const sent = value === '""' ? '' : value === '1e21' ? '1e+21' : value;
      refused(asOther('/new', `{"size":${value}}`), sent);
    });
  }

  test('a text of several lines, on one line', () => {
    refused(asOther('/new', 'size\n5'), 'size?5');
  });
});

test('only targets of /new read a body of any type', () => {
  for (const target of ['/new', '/new/', '/new?size=3', '/new/?n=1', 'http://h:1/new', 'HTTP://h/new?x']) {
    assert.ok(asksForNew(target), target);
  }
  for (const target of [
    '/',
    '/newer',
    '/new/1',
    '/t?/new',
    '/t/new',
    'http://h/t/new',
    '/new/_config/size',
  ]) {
    assert.ok(!asksForNew(target), target);
  }
});

test('a rejection before the body is read is text for /new, whatever its parameters', () => {
  const refusal = new ConnectError('later', Code.ResourceExhausted);
  for (const [method, target] of [
    ['PUT', '/new'],
    ['PUT', '/new?size=5'],
    ['GET', '/new?Size=5'],
  ] as const) {
    assert.equal(refuseUnread(refusal, method, target).plain, true, target);
  }
  assert.notEqual(refuseUnread(refusal, 'PUT', '/t/a').plain, true);
});

test('a path below /new is rejected with instructions to a node that was started with it', () => {
  for (const line of [
    'GET /new/_config/size',
    'PUT /new/a?prevExist=false',
    'GET /%6eew/a',
    'DELETE /new/a/b',
  ]) {
    const [method = '', target = ''] = line.split(' ');
    const parsed = parseRequest({ method, target, form: '', otherBody: false });
    assert.deepEqual(parsed, {
      type: 'ERROR',
      status: 404,
      errorCode: 100,
      message: 'Key not found',
      cause: '/new creates tokens; start the node with the URL that it returns',
      index: 0n,
      newTokenSize: 3,
    });
  }
  assert.equal(
    parseRequest({ method: 'GET', target: '/newer/a', form: '', otherBody: false }).type,
    'GET_MEMBER',
  );
});
