import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { DiscoveryError } from '../../src/discovery/errors.ts';
import { issueToken } from '../../src/discovery/issue-token.ts';
import {
  parseChosenToken,
  parseDescription,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseSize,
  parseToken,
  parseTtl,
  peerAddress,
} from '../../src/discovery/parse.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { PeerUrl } from '../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import { slow } from '../slow.ts';
import { seedOfRun } from '../store/support/random.ts';
import { anyCharacter, anyGrapheme } from '../support/any-character.ts';

fc.configureGlobal({ numRuns: slow ? 100_000 : 2000, seed: seedOfRun() });

const oneOf = (characters: string): fc.Arbitrary<string> => fc.constantFrom(...characters.split(''));

/** Any text, including texts that are almost valid. */
const anyText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 400 }),
  fc.string({ unit: anyGrapheme, maxLength: 300 }),
  fc.string({ unit: oneOf('aZ09._~-/:,= \n\0\u2028%é[]'), maxLength: 140 }),
  // A lone surrogate cannot be encoded as UTF-8.
  fc.string().map((text) => `${text}\ud800`),
);

const WORD = fc
  .tuple(oneOf('abcXYZ019.~-'), fc.string({ unit: oneOf('abcXYZ019._~-'), maxLength: 60 }))
  .map((parts) => parts.join(''));

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom('localhost', 'node-1', 'infra_0', 'HOST'),
);
const peerUrl = fc
  .tuple(fc.constantFrom('http', 'https', 'HTTP'), host, fc.integer({ min: 1, max: 65_535 }))
  .map(([scheme, name, port]) => `${scheme}://${name}:${port}`)
  .filter((url) => url.length <= CLUSTER_LIMITS.peerUrlLength)
  // Wildcard addresses are rejected.
  .filter((url) => !['0.0.0.0', '[::]', '[::ffff:0:0]'].includes(new URL(url).hostname));

/**
 * Reports whether a parser rejects its input, and checks that the error is readable and names the field of the proto.
 */
function isRejected(parse: () => unknown, field: string): boolean {
  try {
    parse();
    return false;
  } catch (error) {
    assert.ok(error instanceof DiscoveryError, `not a DiscoveryError: ${String(error)}`);
    assert.equal(error.reason, 'INVALID_ARGUMENT');
    assert.equal(error.facts.field, field);
    assert.ok(error.message.length > 20 && error.message.length < 400, error.message);
    // The message contains nothing that forges or ends a line of a log.
    assert.doesNotMatch(error.message, /[\p{Cc}\p{Cs}\u2028\u2029]/u);
    return true;
  }
}

/** Checks for every text that it is rejected with an error, or accepted unchanged and according to the rule. */
function checkParser(
  parse: (text: string) => string,
  field: string,
  accepts: (text: string) => boolean,
): void {
  fc.assert(
    fc.property(anyText, (text) => {
      if (isRejected(() => parse(text), field)) assert.equal(accepts(text), false, 'refused');
      else {
        assert.equal(parse(text), text);
        assert.ok(accepts(text), 'accepted');
      }
    }),
  );
}

const isWord = (text: string, length: number): boolean =>
  text.length >= 1 && text.length <= length && /^[A-Za-z0-9._~-]*$/.test(text) && !text.startsWith('_');

const BROKEN = [0x2028, 0x2029, 0xfffd];

function isClean(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || BROKEN.includes(code)) return false;
  }
  // Invisible characters: direction marks, tags, soft hyphens. Not the two joiners, which some scripts need.
  if (/\p{Cf}/u.test(text.replaceAll(/[\u200c\u200d]/g, ''))) return false;
  // Half of a surrogate pair does not survive encoding.
  return Buffer.from(text).toString() === text;
}

describe('tokens', () => {
  test('any text is a valid token or is rejected with an error', () => {
    checkParser(parseToken, 'token', (text) => isWord(text, CLUSTER_LIMITS.tokenLength));
  });

  for (const [wrong, what] of [
    ['my token', /a space at position 3/],
    ['abcde\r', /a carriage return \(\\r\) at the end/],
    ['abcde\n', /a line break \(\\n\) at the end/],
    ['"abcde"', /a double quote at the beginning/],
    ["to'ken", /a single quote at position 3/],
    ['to$ken', /a '\$' at position 3/],
    ['tok\u200ben', /a character U\+200B at position 4/],
  ] as const) {
    test(`the error for ${JSON.stringify(wrong)} names the invalid character, and shows nothing else`, () => {
      assert.throws(
        () => parseToken(wrong),
        (thrown) => {
          assert.ok(thrown instanceof DiscoveryError);
          assert.match(thrown.message, what);
          return !thrown.message.includes(wrong.trim());
        },
      );
    });
  }

  test('accepts hexadecimal text, UUIDs in either case, and names', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          WORD,
          fc.uuid(),
          fc.uuid().map((id) => id.toUpperCase()),
        ),
        (text) => {
          assert.equal(parseToken(text), text);
        },
      ),
    );
  });

  test('issued tokens are 32 lower-case hexadecimal digits, and unique', () => {
    const tokens = Array.from({ length: 10_000 }, issueToken);
    assert.equal(new Set(tokens).size, tokens.length);
    for (const each of tokens) {
      assert.match(each, /^[0-9a-f]{32}$/);
      assert.equal(parseChosenToken(each, DEFAULT_POLICY), each);
    }
  });

  test('issued tokens of one moment share a prefix, and have 112 random bits', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
    const tokens = Array.from({ length: 10_000 }, issueToken);
    assert.equal(new Set(tokens.map((each) => each.slice(0, 4))).size, 1);
    const bytes = tokens.map((each) => Buffer.from(each, 'hex'));
    for (let bit = 16; bit < 128; bit++) {
      const set = bytes.filter((each) => (((each[bit >> 3] as number) >> (bit & 7)) & 1) === 1).length;
      // Twelve standard deviations from the mean.
      assert.ok(set > 4400 && set < 5600, `bit ${bit} was set ${set} times`);
    }
    const timeOf = (each: string): number => Number.parseInt(each.slice(0, 4), 16);
    const first = timeOf(issueToken());
    t.mock.timers.setTime(1_800_000_001_000);
    assert.equal(timeOf(issueToken()), (first + 16) % 65_536);
  });

  test('the paths of the service cannot be chosen, nor any token if the operator disallows it', () => {
    for (const path of ['new', 'health', 'v2', 'v3', 'metrics', '.', '..', 'discovery.v1.DiscoveryService']) {
      assert.ok(
        isRejected(() => parseChosenToken(path, DEFAULT_POLICY), 'token'),
        path,
      );
    }
    assert.throws(
      () => parseChosenToken('mine', { ...DEFAULT_POLICY, customTokens: false }),
      (error) => error instanceof DiscoveryError && error.reason === 'CUSTOM_TOKEN_REFUSED',
    );
  });

  test('no error repeats a token, which may be a mistyped valid one', () => {
    fc.assert(
      fc.property(fc.string({ unit: oneOf('0123456789abcdef'), minLength: 20 }), (text) => {
        for (const wrong of [`${text}/`, `_${text}`, text.padEnd(CLUSTER_LIMITS.tokenLength + 1, 'x')]) {
          assert.throws(
            () => parseToken(wrong),
            (error: Error) => !error.message.includes(text),
          );
        }
      }),
    );
  });
});

describe('members', () => {
  test('any text is a valid member id or is rejected with an error', () => {
    checkParser(parseMemberId, 'member_id', (text) => isWord(text, CLUSTER_LIMITS.memberIdLength));
  });

  test('any text is a valid name or is rejected with an error', () => {
    checkParser(
      parseMemberName,
      'name',
      (text) =>
        text.length >= 1 && text.length <= CLUSTER_LIMITS.nameLength && !/[\s,=]/.test(text) && isClean(text),
    );
  });

  test('any text is a valid description or is rejected with an error', () => {
    checkParser(
      parseDescription,
      'description',
      (text) => text.length <= CLUSTER_LIMITS.descriptionLength && isClean(text),
    );
  });

  test('accepted names and URLs can be joined into --initial-cluster and split again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: anyGrapheme, minLength: 1, maxLength: 60 }),
        fc.uniqueArray(peerUrl, { minLength: 1, maxLength: 4, selector: (url) => url.toLowerCase() }),
        (name, texts) => {
          let parsed: string;
          try {
            parsed = parseMemberName(name);
          } catch {
            return;
          }
          const urls = parsePeerUrls(texts);
          const flag = urls.map((url) => `${parsed}=${url}`).join(',');
          assert.deepEqual(
            flag.split(',').map((part) => part.split('=')),
            urls.map((url) => [parsed, url]),
          );
        },
      ),
    );
  });
});

describe('peer URLs', () => {
  test('accepts the URLs that etcd accepts, in the given order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(peerUrl, {
          minLength: 1,
          maxLength: CLUSTER_LIMITS.peerUrls,
          selector: (url) => url.toLowerCase(),
        }),
        (urls) => {
          assert.deepEqual(parsePeerUrls(urls), urls);
        },
      ),
    );
  });

  test('any list of texts is accepted unchanged or rejected with an error', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, peerUrl), { maxLength: 20 }), (texts) => {
        if (isRejected(() => parsePeerUrls(texts), 'peer_urls')) return;
        assert.deepEqual(parsePeerUrls(texts), texts);
        for (const text of texts) {
          const url = new URL(text);
          assert.ok(['http:', 'https:'].includes(url.protocol));
          assert.deepEqual([url.pathname, url.search, url.hash, url.username], ['/', '', '', '']);
          assert.ok(text.length <= CLUSTER_LIMITS.peerUrlLength && isClean(text));
        }
      }),
    );
  });

  for (const wrong of [
    [],
    [''],
    ['http://a'],
    ['http://a:0'],
    ['http://a:65536'],
    ['http://a:02380'],
    ['http://a:2380/'],
    ['http://a:2380/path'],
    ['http://a:2380?x'],
    ['http://a:2380#x'],
    ['http://user@a:2380'],
    ['http://a b:2380'],
    ['http://a,b:2380'],
    ['http://a=b:2380'],
    ['http://:2380'],
    ['http://0.0.0.0:2380'],
    ['https://0:2380'],
    ['http://0x0:2380'],
    ['http://[::]:2380'],
    ['http://[0:0::0]:2380'],
    ['http://[::ffff:0.0.0.0]:2380'],
    ['http://10.0.0.1:2380', 'http://0.0.0.0:2380'],
    ['http://$private_ipv4:2380'],
    ['http://${HOST}:2380'],
    ['http://{{ansible_host}}:2380'],
    ['http://<ADDRESS>:2380'],
    ['http://[::1:2380'],
    ['http://[nope]:2380'],
    ['unix://a:2380'],
    ['ftp://a:2380'],
    ['a:2380'],
    ['http://a:2380\n'],
    ['http://a:2380', 'HTTP://A:2380'],
    [`http://${'a'.repeat(300)}:2380`],
    Array.from({ length: CLUSTER_LIMITS.peerUrls + 1 }, (_, i) => `http://a:${i + 1}`),
  ]) {
    test(`rejects ${JSON.stringify(wrong).slice(0, 60)}`, () => {
      assert.ok(isRejected(() => parsePeerUrls(wrong), 'peer_urls'));
    });
  }

  test('two spellings of an address are equal', () => {
    const address = (url: string): string => peerAddress(url as PeerUrl);
    assert.equal(address('HTTP://Node-1.Example:2380'), address('http://node-1.example:2380'));
    assert.notEqual(address('http://a:2380'), address('https://a:2380'));
    assert.notEqual(address('http://a:2380'), address('http://a:2381'));
  });
});

describe('numbers', () => {
  test('a size is a whole number from 1 to the limit', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.integer({ min: -2, max: 1100 })), (size) => {
        const isRight = Number.isInteger(size) && size >= 1 && size <= DEFAULT_POLICY.maxSize;
        assert.equal(
          isRejected(() => parseSize(size, DEFAULT_POLICY), 'size'),
          !isRight,
        );
      }),
    );
  });

  test('a lifetime is within its limits, and in whole ms', () => {
    const { minTtl, maxTtl, defaultTtl } = DEFAULT_POLICY;
    assert.equal(parseTtl(undefined, DEFAULT_POLICY), defaultTtl);
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: minTtl - 2, max: maxTtl + 2 })), (ms) => {
        const isRight = ms >= minTtl && ms <= maxTtl;
        assert.equal(
          isRejected(() => parseTtl(ms, DEFAULT_POLICY), 'ttl'),
          !isRight,
        );
        if (isRight) assert.ok(Number.isInteger(parseTtl(ms, DEFAULT_POLICY)));
      }),
    );
  });
});
