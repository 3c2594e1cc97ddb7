import * as fc from 'fast-check';

// Like fast-check's units `binary` and `grapheme`, which take two seconds of each process to make tables of Unicode.

const codePoints = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((each) => String.fromCodePoint(each));

/** Characters that parsers and terminals treat in their own ways. */
const ODD = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\x7f',
  '\x85',
  '\u00ad',
  '\u2028',
  '\u202e',
  '\ufeff',
  '\ufffd',
  '\uffff',
];

/** Any code point that UTF-8 can encode; ASCII and odd ones more often than others. */
export const anyCharacter: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: codePoints(0, 0x7f) },
  { weight: 2, arbitrary: codePoints(0x80, 0x7ff) },
  { weight: 2, arbitrary: codePoints(0x800, 0xd7ff) },
  { weight: 1, arbitrary: codePoints(0xe000, 0xffff) },
  { weight: 2, arbitrary: codePoints(0x1_0000, 0x10_ffff) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
);

/** A character as a reader sees it. Some have several code points. */
export const anyGrapheme: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: codePoints(0x20, 0x7e) },
  { weight: 4, arbitrary: anyCharacter.filter((each) => !/[\p{C}\p{M}]/u.test(each)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('e\u0301', '\u1100\u1161', '🇦🇹', '👩‍👩‍👧', '👍🏽', '\u0e01\u0e33'),
  },
);
