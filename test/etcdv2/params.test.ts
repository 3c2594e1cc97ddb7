import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { asksToWait, parseBoolean, parseParams, parseUint64 } from '../../src/etcdv2/params.ts';
import { parseRequest } from '../../src/etcdv2/parse.ts';
import { anyCharacter } from '../support/any-character.ts';
import { seed } from './seed.ts';

function params(query: string, form = ''): Record<string, string> | number {
  const parsed = parseParams(query, form);
  return 'type' in parsed ? parsed.errorCode : Object.fromEntries(parsed);
}

suite('parameters', () => {
  test('come from the form and the query: the form first, and the first of each name', () => {
    assert.deepEqual(params('a=1&a=2&b=3', 'a=0&c=4'), { a: '0', b: '3', c: '4' });
  });

  test('are decoded once', () => {
    assert.deepEqual(params('a=%2541&b=x%26y%3Dz&c=1+2&%64=%C3%A9&e=a=b&f'), {
      a: '%41',
      b: 'x&y=z',
      c: '1 2',
      d: 'é',
      e: 'a=b',
      f: '',
    });
  });

  test('are not created by empty separators', () => {
    assert.deepEqual(params('&&', '&'), {});
  });

  for (const text of ['a=%', 'a=%zz', 'a=%ff', '%E0%A4=1', 'a=%00', 'a=%0A', 'a=\u007f', 'a=%E2%80%A8']) {
    test(`rejects ${JSON.stringify(text)}`, () => {
      assert.equal(params(text), 210);
      assert.equal(params('', text), 210);
    });
  }

  test('read back as they were written, for any text', () => {
    const text = fc
      .string({ unit: anyCharacter })
      .filter((each) => !/[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u.test(each));
    fc.assert(
      fc.property(fc.dictionary(text, text), (fields) => {
        const form = new URLSearchParams(fields).toString();
        assert.deepEqual(params('', form), { ...fields });
        assert.deepEqual(params(form), { ...fields });
      }),
      { seed },
    );
  });
});

test('every request that is parsed as a wait is recognized by its target', () => {
  const isWait = (target: string): boolean =>
    parseRequest({ method: 'GET', target, form: '', otherBody: false }).type === 'WAIT';
  for (const query of [
    'wait=true',
    'wait=1',
    'a=b&wait=T',
    '%77ait=t',
    'wait=%31',
    'waitIndex=7&wait=TRUE',
  ]) {
    assert.ok(isWait(`/t?${query}`) && asksToWait(`/t?${query}`), query);
  }
  for (const query of ['', 'wait=false', 'wait', 'wait=', 'waitIndex=7', 'a=%77ait=1', 'wait=yes']) {
    assert.ok(!isWait(`/t?${query}`) && !asksToWait(`/t?${query}`), query);
  }
  assert.ok(!asksToWait('/wait=true') && !asksToWait('/%77ait=1?size=3'));
  const word = fc.constantFrom(
    'wait',
    '%77ait',
    'w%61it',
    '=',
    '=',
    '&',
    '1',
    'true',
    '%74',
    'false',
    '+',
    'recursive',
  );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const target = `/t?${words.join('')}`;
      assert.ok(!isWait(target) || asksToWait(target), target);
    }),
    { seed },
  );
});

test('booleans are those of Go', () => {
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) assert.equal(parseBoolean(text), true);
  for (const text of ['0', 'f', 'F', 'FALSE', 'false', 'False']) assert.equal(parseBoolean(text), false);
  for (const text of ['', 'yes', 'tRUE', ' true', 'constructor', '__proto__']) {
    assert.equal(parseBoolean(text), undefined, text);
  }
});

test('indexes are exact unsigned 64-bit numbers', () => {
  assert.equal(parseUint64('18446744073709551615'), 18446744073709551615n);
  assert.equal(parseUint64('007'), 7n);
  for (const text of [
    '',
    '18446744073709551616',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1_0',
    '٣',
    '9'.repeat(5000),
  ]) {
    assert.equal(parseUint64(text), undefined, text);
  }
});
