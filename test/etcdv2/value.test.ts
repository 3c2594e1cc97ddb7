import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { formatValue, parseValue } from '../../src/etcd/value.ts';
import { anyCharacter } from '../support/any-character.ts';
import { seed } from './seed.ts';

suite('the value of a member', () => {
  test('is a name with its peer URLs, in their order', () => {
    assert.deepEqual(parseValue('infra1=http://10.0.0.1:2380'), {
      name: 'infra1',
      peerUrls: ['http://10.0.0.1:2380'],
    });
    assert.deepEqual(parseValue('infra2=http://10.0.0.2:7001,infra2=https://[::1]:2380'), {
      name: 'infra2',
      peerUrls: ['http://10.0.0.2:7001', 'https://[::1]:2380'],
    });
  });

  const malformed: ReadonlyArray<[value: string, problem: RegExp]> = [
    ['', /^the value is missing; .*NAME=PEER_URL, or NAME=PEER_URL,NAME=PEER_URL for several/],
    ['http://10.0.0.1:2380', /^'http:\/\/10\.0\.0\.1:2380' has no equals sign; .*NAME=PEER_URL/],
    ['a,b=http://10.0.0.1:2380', /^'a' has no equals sign; .*\(without commas in --name or a URL\)$/],
    ['a=http://10.0.0.1:1,', /^'' has no equals sign/],
    ['a=b=http://10.0.0.1:2380', /^'a=b=http:\/\/10\.0\.0\.1:2380' has too many equals signs; .*--name/],
    ['a=http://10.0.0.1:1,b=http://10.0.0.1:2', /^the value has two node names, 'a' and 'b'; /],
  ];
  for (const [value, problem] of malformed) {
    test(`rejects ${JSON.stringify(value)} with an error message`, () => {
      const parsed = parseValue(value);
      assert.ok(typeof parsed === 'string' && problem.test(parsed), JSON.stringify(parsed));
    });
  }

  test('reads back as it was written, for any name and URLs', () => {
    const word = fc.string({ unit: anyCharacter }).filter((text) => !/[,=]/.test(text));
    fc.assert(
      fc.property(word, fc.array(word, { minLength: 1 }), (name, peerUrls) => {
        assert.deepEqual(parseValue(formatValue({ name, peerUrls })), { name, peerUrls });
      }),
      { seed },
    );
  });

  test('is parsed or rejected in one printable line, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ',', '=', ':', '/', '\n', '\u2028') }), (text) => {
        const parsed = parseValue(text);
        if (typeof parsed !== 'string') assert.equal(formatValue(parsed), text);
        else assert.match(parsed, /^[\x20-\x7e]+$/);
      }),
      { seed },
    );
  });
});
