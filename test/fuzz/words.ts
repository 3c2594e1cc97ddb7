import assert from 'node:assert/strict';

/** A text for people: some words on one line, bounded, and nothing that steers a terminal or turns a line around. */
export function assertFit(text: string, most = 900): void {
  assert.ok(text.length > 0, 'a message says something');
  assert.ok(text.length <= most, `a message is bounded, and this one has ${text.length} characters`);
  assert.doesNotMatch(
    text,
    /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u,
    'a message is one line of printable text',
  );
}
