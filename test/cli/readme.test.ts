import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadCommands } from '../../src/cli/catalog.ts';
import { EXIT } from '../../src/cli/exit.ts';

const COMMANDS = await loadCommands();

const markdown = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

test('the README has every command that asks a service', () => {
  for (const { name, group } of COMMANDS) {
    if (group === 'Data') continue;
    assert.match(markdown, new RegExp(`\`(etcd-discovery )?${name}[ \`]`), name);
  }
});

test('the README has every exit code, and no other', () => {
  const [, table = ''] = /\| Exit code \|.*\n\|---\|---\|\n((?:\|.*\n)+)/.exec(markdown) ?? [];
  const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(codes, Object.values(EXIT));
});
