import assert from 'node:assert/strict';

/**
 * Asserts that a text is readable: words on one line, bounded, without characters that control a terminal or reverse
 * text.
 */
export function assertFit(text: string, most = 900): void {
  assert.ok(text.length > 0, 'a message is not empty');
  assert.ok(text.length <= most, `a message is bounded, and this one has ${text.length} characters`);
  assert.doesNotMatch(
    text,
    /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u,
    'a message is one line of printable text',
  );
}
