import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesBelow } from '../support/texts.ts';

// A reader who gets an error searches the guides for its text.

/** Messages that etcd itself prints. */
const OF_ETCD: ReadonlySet<string> = new Set(['cluster is full']);

/** The messages that are headings of the guides, in backticks. */
function quotedMessages(): string[] {
  return readdirSync(join('docs', 'guides')).flatMap((name) => {
    const text = readFileSync(join('docs', 'guides', name), 'utf8');
    return [...text.matchAll(/^### `(.+)`$/gm)].map(([, message = '']) => message);
  });
}

test('the guides quote error messages as the service writes them', () => {
  const sources = filesBelow('src', /\.ts$/).map((path) => readFileSync(path, 'utf8'));
  const messages = quotedMessages().filter((message) => !OF_ETCD.has(message));
  assert.ok(messages.length > 5, 'messages are found');
  assert.deepEqual(
    messages.filter((message) => !sources.some((source) => source.includes(message))),
    [],
  );
});
