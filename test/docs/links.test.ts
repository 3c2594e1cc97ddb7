import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/** The length that a reader can take in at once. */
const MOST_LINES = 250;
const README_LINES = 160;

const documents = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  join('bench', 'README.md'),
];

/** Returns a document without its code, where brackets are not links. */
function proseOf(path: string): string {
  return readFileSync(path, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, '_'));
}

/** Returns the anchors of a document: its headings as GitHub names them, and explicit ones. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id);
  return new Set([...headings, ...written]);
}

test('every link within the documents leads to an existing file and heading', () => {
  const broken = documents.flatMap((path) =>
    [...proseOf(path).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, file = '', anchor]) => {
        const target = file === '' ? path : join(dirname(path), file);
        if (!existsSync(target)) return true;
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
      })
      .map(([link]) => `${path}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test('every document can be reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    for (const [, file = ''] of proseOf(path).matchAll(/\]\((?!https?:)([^)#\s]+\.md)(?:#[^)\s]*)?\)/g)) {
      reached.add(join(dirname(path), file));
    }
  }
  assert.deepEqual(
    documents.filter((path) => !reached.has(path)),
    [],
  );
});

test('no document is too long to read at once', () => {
  const lines = (path: string): number => readFileSync(path, 'utf8').trimEnd().split('\n').length;
  assert.ok(lines('README.md') <= README_LINES, `README.md has ${lines('README.md')} lines`);
  assert.deepEqual(
    documents.filter((path) => lines(path) > MOST_LINES),
    [],
  );
});
