import type { Random } from '../store/support/random.ts';

/** Boundaries of numbers. */
const NUMBERS =
  `0 00 -1 1 127 128 255 256 65535 65536 2147483647 2147483648 4294967296 9007199254740993 9223372036854775807
  9223372036854775808 18446744073709551615 1e309`.split(/\s+/);

/**
 * Input that breaks parsers of any language: broken escapes and UTF-8, and characters that end or reverse lines or
 * control terminals.
 */
const NASTY = [
  ...NUMBERS,
  ...'% %0 %00 %zz %0d%0a %2F %25 %ff %e2%80%a8 %ed%a0%80 + \' " \\ {} [] null __proto__'.split(' '),
  ...'\0 \n \r\n \x7f \x1b[2J \xff \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x80\xae \xe2\x80\xa8'.split(
    ' ',
  ),
  ...'\xef\xbb\xbf \xc3\xa9 \xf0\x9f\x98\x80'.split(' '),
  ' ',
];

type Mutation = (input: Buffer, random: Random, words: readonly string[], pool: readonly Buffer[]) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  // Change a bit, or a byte.
  (input, random) => changeByte(input, random, (byte) => byte ^ (1 << random.between(0, 7))),
  (input, random) => changeByte(input, random, () => random.between(0, 255)),
  // Remove, double, repeat or move a part.
  (input, random) => {
    const [from, to] = part(input, random);
    return Buffer.concat([input.subarray(0, from), input.subarray(to)]);
  },
  (input, random) => {
    const [from, to] = part(input, random);
    const times = random.chance(0.1) ? random.between(2, 300) : 2;
    const copies = Array.from({ length: times }, () => input.subarray(from, to));
    return Buffer.concat([input.subarray(0, from), ...copies, input.subarray(to)]);
  },
  (input, random) => {
    const [from, to] = part(input, random);
    const rest = Buffer.concat([input.subarray(0, from), input.subarray(to)]);
    return insert(rest, random.between(0, rest.length), input.subarray(from, to));
  },
  // Insert a word, or replace a part with one.
  (input, random, words) => insert(input, random.between(0, input.length), word(random, words)),
  (input, random, words) => {
    const [from, to] = part(input, random);
    return Buffer.concat([input.subarray(0, from), word(random, words), input.subarray(to)]);
  },
  // Join the start of one input and the end of another.
  (input, random, _words, pool) => {
    const other = random.pick(pool);
    return Buffer.concat([
      input.subarray(0, random.between(0, input.length)),
      other.subarray(random.between(0, other.length)),
    ]);
  },
  // Percent-encode a character.
  (input, random) => {
    if (input.length === 0) return input;
    const at = random.between(0, input.length - 1);
    const escaped = `%${(input[at] ?? 0).toString(16).padStart(2, '0')}`;
    return Buffer.concat([input.subarray(0, at), Buffer.from(escaped), input.subarray(at + 1)]);
  },
  // Replace a number.
  (input, random) => {
    const numbers = [...input.toString('latin1').matchAll(/\d+/g)];
    if (numbers.length === 0) return input;
    const { 0: digits, index } = random.pick(numbers);
    const value = Buffer.from(random.chance(0.8) ? random.pick(NUMBERS) : String(Number(digits) + 1));
    return Buffer.concat([input.subarray(0, index), value, input.subarray(index + digits.length)]);
  },
];

/** Derives an input from one of a pool, mostly with one change, sometimes with many. */
export function mutated(
  input: Buffer,
  random: Random,
  words: readonly string[],
  pool: readonly Buffer[],
  maxBytes: number,
): Buffer {
  let result = input;
  do result = random.pick(MUTATIONS)(result, random, words, pool).subarray(0, maxBytes);
  while (random.chance(0.5));
  return result;
}

/** Returns a word of the target's language, or one that breaks parsers of any. */
export function word(random: Random, words: readonly string[]): Buffer {
  const isOwn = words.length > 0 && random.chance(0.7);
  return Buffer.from(random.pick(isOwn ? words : NASTY), 'latin1');
}

function changeByte(input: Buffer, random: Random, change: (byte: number) => number): Buffer {
  if (input.length === 0) return Buffer.of(random.between(0, 255));
  const at = random.between(0, input.length - 1);
  const result = Buffer.from(input);
  result[at] = change(input[at] ?? 0);
  return result;
}

function insert(input: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), more, input.subarray(at)]);
}

/** Mostly a short part. */
function part(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.between(0, input.length);
  const longest = random.chance(0.8) ? 8 : input.length;
  return [from, Math.min(input.length, from + random.between(1, Math.max(1, longest)))];
}
