import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as limits from '../../src/limits.ts';
import { SETTING_GROUPS, SETTINGS, type Setting } from '../../src/settings/settings.ts';
import { limitTables } from '../reference/limits.ts';

const tables = [...limitTables().values()];

test('every limit is in the tables, with its reason', () => {
  const declared = Object.values(limits).flatMap((table) => Object.keys(table));
  const shown = tables.flat().map(({ name }) => name);
  const repeated = ['connections', 'requests'];
  assert.deepEqual(shown.toSorted(), declared.filter((name) => !repeated.includes(name)).toSorted());
  for (const { name, reason } of tables.flat()) assert.ok(reason.length > 10, `${name} says why`);
});

test('defaults come from the table, which has every setting that limits something', () => {
  const settings: Readonly<Record<string, Setting<unknown>>> = SETTINGS;
  for (const [name, value] of Object.entries(limits.PRESETS)) {
    const { default: preset = '', parse } = settings[name] ?? assert.fail(`no setting ${name}`);
    assert.deepEqual(parse(preset), typeof value === 'string' ? parse(value) : value, name);
  }
  for (const name of Object.keys(SETTING_GROUPS.Limits)) {
    assert.ok(name === 'trustedProxies' || Object.hasOwn(limits.PRESETS, name), name);
  }
});

test('limits are defined only in the table', () => {
  const wrong = sources().flatMap(([path, source]) =>
    [...source.matchAll(/^.*const \w*(?:LIMIT|MOST|MAX)\w*(?:: \w+)? = [\d_]+[ ;].*$/gm)].map(
      ([line]) => `${path}: ${line}`,
    ),
  );
  assert.deepEqual(
    wrong.filter((line) => !ELSEWHERE.some((name) => line.includes(name))),
    [],
  );
});

test('every batch size and cache size has a reason above it', () => {
  const measures = sources().flatMap(([path, source]) =>
    [...source.matchAll(MEASURE)].map(([, comment, name = '']) => ({
      name,
      path,
      explained: comment !== undefined,
    })),
  );
  assert.ok(measures.length >= 10, 'batch and cache sizes are found');
  assert.deepEqual(
    measures.filter(({ explained }) => !explained).map(({ name, path }) => `${path}: ${name}`),
    [],
  );
});

/** A number of things done or kept together, with the comment that ends on the line before it. */
const MEASURE =
  /^(.*\*\/\n|\/\/.*\n)?(?:export )?const (\w+_(?:STREAMS|AT_ONCE|TOGETHER|KEPT|PER_\w+)) = [\d_* ]+;/gm;

/** Numbers of programs that are not the service, of formats, of times, or of what the operator writes. */
const ELSEWHERE = [
  'src/cli/',
  'src/client/',
  'src/moving/',
  'src/page/view/',
  'src/store/lmdb/check/data-file.ts',
  'LIMIT_MS = ',
  'const MAX_PREFIX_LENGTH',
  'const MAX_ENDPOINTS',
  'src/values/rate.ts: const MOST',
  'src/settings/tables/limits.ts: const MOST',
];

function sources(): Array<[path: string, source: string]> {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'limits.ts')
    .map((name) => [`src/${name}`, readFileSync(join('src', name), 'utf8')]);
}
