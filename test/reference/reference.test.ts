import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCommands } from '../../src/cli/catalog.ts';
import { EXIT } from '../../src/cli/exit.ts';
import { SETTINGS } from '../../src/settings/settings.ts';
import { referencePages } from './pages.ts';

const pages = new Map((await referencePages()).map((page) => [page.path, page]));

for (const { path, found, wanted } of pages.values()) {
  test(`${path} matches the code; npm run gen writes it`, () => {
    assert.equal(found, wanted);
  });
}

const shown = (name: string): string => pages.get(`docs/reference/${name}`)?.found ?? '';

test('every command has a section', async () => {
  const headings = ['commands.md', 'node-commands.md', 'data-commands.md'].map(shown).join('');
  for (const { name } of await loadCommands()) assert.match(headings, new RegExp(`^## ${name}$`, 'm'));
});

test('every exit code has a row, and every row an exit code', () => {
  const codes = [...shown('commands.md').matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(codes, Object.values(EXIT));
});

test('every setting has a row', () => {
  for (const { env } of Object.values(SETTINGS)) assert.ok(shown('settings.md').includes(`\`${env}\``), env);
});
