import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('SECURITY.md names existing tests for everything that an attacker can do', () => {
  const [, table = ''] =
    /\n\| Attacker \|.*\n\|---\|---\|---\|---\|\n((?:\|.*\n)+)/.exec(readFileSync('SECURITY.md', 'utf8')) ??
    [];
  const rows = table.trimEnd().split('\n');
  assert.ok(rows.length > 15, `${rows.length} rows`);
  for (const row of rows) {
    const shown = row.split(' | ').at(-1)?.replace(/ \|$/, '').split('<br>') ?? [];
    for (const each of shown) {
      const [, file = '', title = ''] = /^`(test\/[\w./-]+)`: (.+)$/.exec(each) ?? [];
      assert.ok(title.length > 5 && existsSync(file), `${each}: no such test in ${row}`);
      assert.ok(readFileSync(file, 'utf8').includes(title), `${file} does not contain the test ${title}`);
    }
  }
});
