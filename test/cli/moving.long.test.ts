import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import type { Store } from '../../src/discovery/store.ts';
import { millis } from '../../src/discovery/types.ts';
import { exportLines } from '../../src/moving/export.ts';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import { contents, fill } from '../moving/clusters.ts';
import { emptyDisk, openMemoryStore } from '../store/support/memory.ts';
import { Random, seedOfRun } from '../store/support/random.ts';
import { Command, run, SpawnedService } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';

const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

const random = new Random(seedOfRun());
let made = 0;
function fresh(name: string): string {
  made += 1;
  return join(home, `${made}-${name}`);
}

async function withStore<T>(path: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function filled(count: number): Promise<string> {
  const path = fresh('data');
  await withStore(path, (store) => fill(store, random, count));
  return path;
}

const dataOf = (path: string): Promise<unknown[]> => withStore(path, contents);

test('export and import move a data directory: the file is private, and the new service serves the tokens', async () => {
  const [from, to, file] = [await filled(40), fresh('data'), fresh('tokens.jsonl')];
  const before = await dataOf(from);
  const exported = await run(['export', file, '--data-dir', from]);
  assert.match(
    exported.stdout,
    /^exported: 40 tokens with \d+ members\nleft out: 0 expired, 0 deleted, 0 closed, 0 damaged\n$/,
  );
  assert.deepEqual([exported.code, exported.stderr], [0, '']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const dry = await run(['import', file, '--dry-run', '--data-dir', to]);
  assert.match(dry.stdout, /^would import: 40 tokens with \d+ members\n/);
  assert.equal(existsSync(to), false, 'a dry run creates nothing');
  const imported = await run(['import', file, '--data-dir', to]);
  assert.equal(imported.stdout, dry.stdout.replace('would import', 'imported'));
  assert.deepEqual([imported.code, imported.stderr], [0, '']);
  assert.deepEqual(await dataOf(to), before);
  const [token = ''] = /[0-9a-f]{16}/.exec(readFileSync(file, 'utf8')) ?? [];
  const service = await SpawnedService.start([], { dataDir: to });
  assert.equal((await fetch(`${service.url}/${token}`)).status, 200);
  await service.end();
});

test('an export can go to a pipe, with its counts on stderr', async () => {
  const [from, to] = [await filled(60), fresh('data')];
  const exported = await run(['export', '-', '--data-dir', from]);
  assert.match(exported.stderr, /^exported: 60 tokens/);
  const command = new Command(['import', '-', '--data-dir', to], {}, 'pipe');
  command.child.stdin?.end(exported.stdout);
  assert.deepEqual(await command.ended, { code: 0, signal: null });
  assert.deepEqual(await dataOf(to), await dataOf(from));
});

test('an import that cannot write does not wait for the end of its input', async (t) => {
  const file = fresh('file');
  writeFileSync(file, '');
  const { stdout } = await run(['export', '-', '--data-dir', await filled(1)]);
  const command = new Command(['import', '-', '--data-dir', join(file, 'data')], {}, 'pipe');
  t.after(() => command.child.kill('SIGKILL'));
  command.child.stdin?.write(stdout.slice(0, -10));
  let ending: unknown;
  void command.ended.then((end) => {
    ending = end;
  });
  await waitFor('its end', () => ending !== undefined);
  assert.deepEqual(ending, { code: 1, signal: null });
});

test('the next import completes one that was killed at any moment', async () => {
  const [file, to] = [fresh('tokens.jsonl'), fresh('data')];
  const from = openMemoryStore(emptyDisk(), DEFAULT_POLICY);
  await fill(from, random, 5000);
  const none = { exported: 0, members: 0, expired: 0, deleted: 0, closed: 0, damaged: 0 };
  await writeFile(
    file,
    exportLines(from, millis(Date.now()), none, () => assert.fail('nothing is damaged')),
  );
  let kills = 0;
  const data = join(to, 'data.mdb');
  const size = (): number => (existsSync(data) ? statSync(data).size : 0);
  for (let before = 0, over = false; kills < 3 && !over; before = size()) {
    const command = new Command(['import', file, '--data-dir', to]);
    command.child.once('exit', () => {
      over = true;
    });
    // The data file grows during writes.
    await waitFor('writes', () => over || size() > before + 100_000);
    if (over) break;
    command.child.kill('SIGKILL');
    await command.ended;
    over = false;
    kills += 1;
  }
  const { code, stdout } = await run(['import', file, '--data-dir', to]);
  assert.equal(code, 0, stdout);
  console.log(`killed ${kills} times; ${stdout.replaceAll('\n', '; ')}`);
  assert.ok(kills > 0);
  assert.deepEqual(await dataOf(to), await contents(from));
});

test('an import reports conflicts, invalid lines and a missing end, imports the rest, and exits with code 1', async () => {
  const [from, to, file] = [await filled(10), fresh('data'), fresh('tokens.jsonl')];
  await run(['export', file, '--data-dir', from]);
  await run(['import', file, '--data-dir', to]);
  const [header, first = '', second = '', third = '', ...more] = readFileSync(file, 'utf8').split('\n');
  const other = JSON.stringify({ ...(JSON.parse(first) as object), description: 'changed' });
  writeFileSync(file, [header, other, second.slice(1), third, ...more.slice(0, -2)].join('\n'));
  const { code, stdout, stderr } = await run(['import', file, '--data-dir', to]);
  assert.equal(code, 1);
  const [a = '', b = '', ...rest] = stderr.split('\n');
  assert.deepEqual(
    [...[a, b].sort(), ...rest],
    [
      'line 2: conflict: the token already exists in the store and has a different description; it was left unchanged',
      'line 3: not valid JSON',
      `etcd-discovery: ${file} is truncated: its last line is missing`,
      '',
    ],
  );
  const lines = stdout.split('\n');
  const assemblingLines = lines.slice(5, -1);
  assert.deepEqual(lines, [
    'imported: 0 tokens with 0 members',
    'unchanged, already imported: 8',
    'conflicts, left unchanged: 1',
    'expired, left out: 0',
    'invalid, left out: 1',
    ...assemblingLines,
    '',
  ]);
  assert.match(assemblingLines[0] ?? '', /^assembling: \d+; the old service must no longer serve/);
});

test('impossible calls print one line: no data, an existing or missing file, a data directory in use', async () => {
  const [from, file, none] = [await filled(1), fresh('tokens.jsonl'), fresh('nothing')];
  const refused = async (args: string[], words: RegExp, code = 1): Promise<void> => {
    const ended = await run(args);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, words);
    assert.match(ended.stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
    assert.equal(ended.stdout, '');
  };
  await refused(['export', file, '--data-dir', none], /there is no data in .*--data-dir/);
  assert.equal(existsSync(none), false);
  assert.equal(existsSync(file), false);
  await refused(['import', file, '--data-dir', none], /tokens\.jsonl does not exist$/m);
  await refused(
    ['import', home, '--data-dir', none],
    /etcd-discovery-test-\w+ is a directory; use the name of a file$/m,
  );
  assert.equal(existsSync(none), false);
  writeFileSync(file, 'mine');
  await refused(['export', file, '--data-dir', from], /already exists and was not overwritten/);
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  await refused(['import', file, '--data-dir', none], /tokens\.jsonl is not an etcd-discovery export/);
  assert.equal(existsSync(none), false, 'an invalid export creates no store');
  const service = await SpawnedService.start([], { dataDir: from });
  await refused(['export', fresh('x'), '--data-dir', from], /another process is using the data directory/);
  await service.end();
  await refused(['export'], /export requires the name of a file to write, or -/, 2);
  await refused(['export', 'a', 'b'], /export writes one file, not 2; see etcd-discovery export --help/, 2);
  await refused(['export', 'a', '--dry-run'], /with --dry-run no file is written/, 2);
  await refused(['export', 'a', '--dry-run=yes'], /--dry-run does not take a value/, 2);
  await refused(['export', 'a', '--port', '1'], /unknown flag "--port"; see etcd-discovery export --help/, 2);
  await refused(['export', 'a', '--data-dir'], /--data-dir requires a value: a directory/, 2);
  await refused(['import'], /import requires the name of one file/, 2);
  await refused(
    ['import', 'a', '--from-discoveryserver', 'http://[::1]:1'],
    /either --from-discoveryserver or a file/,
    2,
  );
  await refused(['import', '--from-discoveryserver', 'localhost'], /must be the URL of an etcd, like/, 2);
  await refused(['import', 'a', '--max-size', 'x'], /--max-size "x": must be a whole number/, 2);
});

test('with --output json, the data commands print results and errors as one line of JSON', async () => {
  const from = await filled(3);
  const [file, backup, to] = [fresh('tokens.jsonl'), fresh('backup'), fresh('data')];
  const json = async (args: string[], stream: 'stdout' | 'stderr' = 'stdout'): Promise<object> => {
    const { code, ...output } = await run([...args, '--output', 'json']);
    const other = stream === 'stdout' ? output.stderr : output.stdout;
    assert.equal(other, '', args.join(' '));
    assert.match(output[stream], /^[^\n]+\n$/, args.join(' '));
    return { code, ...(JSON.parse(output[stream]) as object) };
  };
  const { members, tokens, revision, events, ...rest } = (await json([
    'check',
    '--data-dir',
    from,
  ])) as Record<string, number>;
  assert.deepEqual(rest, { code: 0, dataDir: from, isInUse: false, problemCount: 0, problems: [] });
  assert.equal(tokens, 3);
  const held = { tokens, members, events, revision, problemCount: 0, problems: [] };
  const backedUp = await json(['backup', backup, '--data-dir', from]);
  assert.deepEqual(backedUp, { code: 0, file: backup, bytes: statSync(backup).size, ...held });
  assert.deepEqual(await json(['check', backup]), { code: 0, file: backup, ...held });
  const restored = await json(['restore', backup, '--data-dir', to, '--keep-assembling']);
  assert.deepEqual({ ...restored, revision }, { code: 0, dataDir: to, closedTokens: 0, ...held });
  const counts = { code: 0, dryRun: false, members, expired: 0, problemCount: 0, problems: [] };
  const exported = { ...counts, exported: 3, deleted: 0, closed: 0, damaged: 0 };
  assert.deepEqual(await json(['export', file, '--data-dir', from]), exported);
  const { stdout, stderr } = await run(['export', '-', '--data-dir', from, '-o', 'json']);
  assert.equal(stdout.split('\n').length, 3 + 3);
  assert.equal((JSON.parse(stderr) as typeof exported).exported, 3);

  const [first = '', second = '', ...more] = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, [first, second.replace('"size":', '"size":-'), ...more].join('\n'));
  const imported = (await json(['import', file, '--data-dir', fresh('data')])) as Record<string, unknown>;
  assert.deepEqual([imported['code'], imported['imported'], imported['bad']], [1, 2, 1]);
  assert.match(String(imported['problems']), /line 2/);

  const refusal = (message: string, exitCode: number): object => ({
    code: exitCode,
    error: { exitCode, reason: '', message, next: '' },
  });
  assert.deepEqual(
    await json(['restore', backup, '--data-dir', to], 'stderr'),
    refusal(
      `the data directory ${to} already has data; choose an empty or new one, or pass --replace to keep the old data aside`,
      1,
    ),
  );
  assert.deepEqual(
    await json(['export', '--data-dir', from], 'stderr'),
    refusal(
      'export requires the name of a file to write, or - for standard output; see etcd-discovery export --help',
      2,
    ),
  );
  assert.equal(
    (await run(['check', '--output', 'yaml'])).stderr,
    'etcd-discovery: --output "yaml": must be text or json\n',
  );
});
