import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesBelow, type Text, textsOfCode, textsOfMarkdown, textsOfProto } from './support/texts.ts';

/** A turn of phrase that readers stumble over, and what to write instead. */
interface Rule {
  readonly pattern: RegExp;
  readonly example: string;
  readonly instead: string;
}

// The texts are searched sentence by sentence.
const RULES: readonly Rule[] = [
  { pattern: /^who (?!.*\?)/i, example: 'Who waits is served.', instead: 'a client that waits' },
  { pattern: /^What (?!to |happens )(?!.*\?)/, example: 'What answers is etcd.', instead: 'the server' },
  { pattern: /\bwhoever\b/i, example: 'Whoever asks gets it.', instead: 'any client that asks' },
  {
    pattern: /(?<!\bthere )\bis no\b(?! (?:longer|more)\b)/i,
    example: 'The body is no form.',
    instead: 'is not a',
  },
  {
    pattern: /(?<!\bthere )\b(?:is|are) none\b/i,
    example: 'It names a URL that is none.',
    instead: 'is not valid',
  },
  { pattern: /\bin words\b/i, example: 'It refuses in words.', instead: 'with an error message' },
  { pattern: /\bcomes? again\b/i, example: 'The client comes again.', instead: 'retries' },
  { pattern: /\btold\b(?! apart\b)/i, example: 'The client is told.', instead: 'receives, gets an error' },
  { pattern: /\bfor ever\b/i, example: 'It waits for ever.', instead: 'forever' },
  { pattern: /\bbut for\b/i, example: 'All but for one.', instead: 'except' },
  { pattern: /\bgoes on\b/i, example: 'The watch goes on.', instead: 'continues, resumes' },
  { pattern: /\btakes? up again\b/i, example: 'It takes up again.', instead: 'resumes' },
  { pattern: /\bmade anew\b/i, example: 'The token is made anew.', instead: 'created again' },
];

/** Sentences that a rule rejects and that are right where they are, with the reason. */
interface Exception {
  readonly text: RegExp;
  /** The places, as `file:line`. */
  readonly at: RegExp;
  readonly reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    text: /^(?:What|Who) /,
    at: /^docs\/.*\.md:3$/,
    reason: 'the first line of a page says which question it answers, and is not a sentence',
  },
  {
    text: /^Who must authenticate:$/,
    at: /^(?:src\/settings\/tables\/access\.ts|docs\/reference\/settings\.md):\d+$/,
    reason: 'a label, which the accepted values follow',
  },
];

test('each rule finds its example, which the others let pass', () => {
  for (const rule of RULES) {
    assert.deepEqual(
      RULES.filter(({ pattern }) => pattern.test(rule.example)),
      [rule],
      rule.example,
    );
  }
});

test('string literals of the service are in plain English', () => {
  assert.ok(sources().length > 300, 'the sources are found');
  check(sources().flatMap((file) => textsOfCode(file).literals));
});

test('comments of the service are in plain English', () => {
  check(sources().flatMap((file) => textsOfCode(file).comments));
});

test('comments of the API, from which its documentation is generated, are in plain English', () => {
  check(filesBelow('proto/discovery', /\.proto$/).flatMap(textsOfProto));
});

test('comments, names and messages of tests and benchmarks are in plain English', () => {
  assert.ok(testSources().length > 300, 'the sources are found');
  check(testSources().flatMap((file) => Object.values(textsOfCode(file)).flat()));
});

test('documents are in plain English', () => check(documents().flatMap(textsOfMarkdown)));

test('each exception is needed', () => {
  const texts = [
    ...sources().flatMap((file) => textsOfCode(file).literals),
    ...documents().flatMap(textsOfMarkdown),
  ];
  const used = new Set(texts.flatMap(findingsIn).map(({ exception }) => exception));
  assert.deepEqual(
    EXCEPTIONS.filter((each) => !used.has(each)),
    [],
  );
});

function sources(): string[] {
  return filesBelow('src', /\.(?:ts|mjs)$/);
}

/** Without generated code, and without this file, which has an example of each phrase. */
function testSources(): string[] {
  const all = ['bench', 'test'].flatMap((path) => filesBelow(path, /\.(?:ts|mjs)$/));
  return all.filter((file) => !file.includes('/gen/') && file !== 'test/words.test.ts');
}

function documents(): string[] {
  return [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...['bench', 'deploy', 'docs', 'src'].flatMap((path) => filesBelow(path, /\.md$/)),
  ];
}

function check(texts: readonly Text[]): void {
  assert.ok(texts.length > 0, 'there are texts');
  const wrong = texts.flatMap(findingsIn).filter(({ exception }) => exception === undefined);
  assert.deepEqual(
    wrong.map(
      ({ place, sentence, rule }) => `${place}: ${sentence} [${rule.pattern.source}: write ${rule.instead}]`,
    ),
    [],
  );
}

interface Finding {
  readonly place: string;
  readonly sentence: string;
  readonly rule: Rule;
  readonly exception: Exception | undefined;
}

function findingsIn({ file, line, text }: Text): Finding[] {
  const place = `${file}:${line}`;
  return sentencesOf(text).flatMap((sentence) => {
    const rule = RULES.find(({ pattern }) => pattern.test(sentence));
    const exception = EXCEPTIONS.find((each) => each.text.test(sentence) && each.at.test(place));
    return rule === undefined ? [] : [{ place, sentence, rule, exception }];
  });
}

function sentencesOf(text: string): string[] {
  return text
    .split(/(?<=[.;:!?](?:\*\*)?)\s+|\s*\|\s*/)
    .map((sentence) => sentence.replace(/^(?:[-*]|\*\*)\s*/, ''));
}
