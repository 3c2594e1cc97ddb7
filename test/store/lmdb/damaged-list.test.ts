import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { listClusters } from '../../../src/discovery/list-clusters.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { type Description, millis } from '../../../src/discovery/types.ts';
import { run } from '../../support/child.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, node, token } from '../support/commands.ts';
import { listWhole } from '../support/list-whole.ts';
import { lmdbPlace } from '../support/place.ts';

const TOKENS = Array.from({ length: 12 }, (_, i) => token(`cluster-${String(i).padStart(2, '0')}`));
/** The first, two in a row, and the last two. */
const HIT = [0, 4, 5, 10, 11];

test('damaged records stop neither the list nor an export, and both and the check name them', async (t) => {
  const place = lmdbPlace();
  t.after(() => place.destroy());
  const made = await place.open(DEFAULT_POLICY);
  const discovery = new Discovery(made, DEFAULT_POLICY);
  for (const each of TOKENS) {
    const description = `what is ${each} for` as Description;
    await discovery.createToken({ ...create(each), description });
    await discovery.register(each, node(1));
  }
  await made.close();
  const file = join(place.path, 'data.mdb');
  const bytes = readFileSync(file);
  for (const each of HIT) {
    const words = `what is ${TOKENS[each]} for`;
    // Older pages have it too.
    for (let at = bytes.indexOf(words); at !== -1; at = bytes.indexOf(words, at + 1)) bytes.write('W', at);
  }
  writeFileSync(file, bytes);
  const whole = TOKENS.filter((_, i) => !HIT.includes(i));
  const hit = HIT.map((i) => TOKENS[i]);

  const store = await place.open(DEFAULT_POLICY);
  for (const limit of [1, 2, 100]) {
    const { listed, damaged } = await listWhole(store, limit);
    assert.deepEqual(listed, whole, `pages of ${limit}`);
    assert.deepEqual(
      damaged.map(([each]) => each),
      hit,
      'each is reported once',
    );
    for (const [, words] of damaged) assert.match(words, /^the data of this token is damaged: /);
  }
  const query = { states: new Set(['ASSEMBLING'] as const), limit: 100 };
  const page = await listClusters(store, query, millis(Date.now()));
  assert.equal(page.clusters.length, TOKENS.length - HIT.length, 'nor do they stop the list of the newest');
  await expectRefusal('INTERNAL', store.list(undefined, 100));
  await store.close();

  const out = join(place.path, 'tokens.jsonl');
  const exported = await run(['export', out, '--data-dir', place.path]);
  assert.equal(exported.code, 1, exported.stderr);
  assert.match(exported.stdout, /^exported: 7 tokens with 7 members\nleft out: .* 5 damaged\n$/);
  const checked = await run(['check', '--data-dir', place.path]);
  assert.equal(checked.code, 1);
  for (const { stderr } of [exported, checked]) {
    assert.equal(stderr.match(/^token c[^ ]*\.\.\.: .*damaged/gm)?.length, HIT.length, stderr);
    assert.ok(!hit.some((each) => stderr.includes(String(each))), 'no token is shown in full');
  }
  const copy = lmdbPlace();
  t.after(() => copy.destroy());
  const imported = await run(['import', out, '--data-dir', copy.path]);
  assert.deepEqual([imported.code, imported.stdout.split('\n')[0]], [0, 'imported: 7 tokens with 7 members']);
});
