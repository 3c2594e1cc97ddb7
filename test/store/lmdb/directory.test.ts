import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openEnvironment } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { run } from '../../support/child.ts';
import { refusal } from '../laws/subject.ts';
import { StoreProcess } from '../support/process.ts';

const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

let made = 0;
function fresh(): string {
  made += 1;
  return join(home, `place-${made}`);
}

function freshDirectory(): string {
  const path = fresh();
  mkdirSync(path);
  return path;
}

/** What must be refused: how it comes to be, and the words about it. */
const REFUSED: ReadonlyArray<[what: string, make: () => string | Promise<string>, words: RegExp]> = [
  [
    'the data directory of an etcd node',
    () => {
      const path = fresh();
      mkdirSync(join(path, 'member', 'snap'), { recursive: true });
      return path;
    },
    /looks like the data directory of an etcd node and has no data of etcd-discovery \(it contains member\)/,
  ],
  [
    'a directory with the files of others',
    () => {
      const path = freshDirectory();
      for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) writeFileSync(join(path, name), '');
      return path;
    },
    /is not empty and has no data of etcd-discovery \(it contains a\.txt, b\.txt, c\.txt, \.\.\.\); choose an empty/,
  ],
  [
    'a file',
    () => {
      const path = fresh();
      writeFileSync(path, 'x');
      return path;
    },
    /is a file or inside a file; choose a directory/,
  ],
  [
    'a path below a file',
    () => {
      const path = fresh();
      writeFileSync(path, 'x');
      return join(path, 'data');
    },
    /is a file or inside a file; choose a directory/,
  ],
  [
    'a data file of text',
    () => withDataFile(Buffer.from('this is not a database\n'.repeat(1000))),
    /data\.mdb is damaged or was not written by etcd-discovery; restore it from a backup/,
  ],
  [
    'a data file of zeros',
    () => withDataFile(Buffer.alloc(100_000)),
    /data\.mdb is damaged or was not written by etcd-discovery; restore it from a backup/,
  ],
  [
    'a data file of one byte',
    () => withDataFile(Buffer.from('x')),
    /the file is truncated; restore the directory from a backup/,
  ],
  [
    'a data file that was cut to nothing',
    async () => {
      const path = fresh();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      writeFileSync(join(path, 'data.mdb'), '');
      return path;
    },
    /data\.mdb is empty: .*; restore a backup, or remove the file/,
  ],
  [
    'data that was kept aside with nothing in its place',
    async () => {
      const path = fresh();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      renameSync(join(path, 'data.mdb'), join(path, 'data.mdb.before-2026-01-31'));
      return path;
    },
    /moved the old data aside .*; run restore again, or rename data\.mdb\.before-2026-01-31/,
  ],
  [
    'the LMDB data of another program',
    async () => {
      const path = freshDirectory();
      const env = open({ path, noSubdir: false, maxDbs: 4 });
      await env.openDB('users', {}).put('someone', 'else');
      await env.close();
      return path;
    },
    /was written by another program; choose an empty or new data directory/,
  ],
  [
    'the LMDB data of another program that has a meta database too',
    async () => {
      const path = freshDirectory();
      const env = open({ path, noSubdir: false, maxDbs: 4 });
      await env.openDB('meta', {}).put('format', 'a wiki');
      await env.close();
      return path;
    },
    /was written by another program; choose an empty or new data directory/,
  ],
  [
    'data of a newer version',
    async () => {
      const path = fresh();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      const env = open({ path, noSubdir: false, maxDbs: 8 });
      await env.openDB('meta', { encoding: 'msgpack' }).put('formatVersion', 7);
      await env.close();
      return path;
    },
    /a newer etcd-discovery .*\(format 7; .* 6\); run that version or a later one/,
  ],
  [
    'a path that is too long for a socket',
    () => {
      const path = join(fresh(), 'x'.repeat(120));
      mkdirSync(path, { recursive: true });
      return path;
    },
    /the path of the data directory is too long: .* choose a shorter path/,
  ],
];

for (const [what, make, words] of REFUSED) {
  test(`${what} is refused in words, by the store and by the command, and left as it is`, async () => {
    const path = await make();
    const before = listing(path);
    const error = await refusal('STORE_UNAVAILABLE', openLmdbStore({ path, policy: DEFAULT_POLICY }));
    assert.match(error.message, words);
    const { code, stdout, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', path]);
    assert.equal(code, 1);
    assert.match(stderr, words);
    assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
    assert.equal(stdout.includes('"serving"'), false);
    assert.deepEqual(listing(path), before);
  });
}

test('a missing directory is made with those above it, and only its owner can look into it', async () => {
  const path = join(fresh(), 'deep', 'down');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  await store.close();
  assert.ok(existsSync(join(path, 'data.mdb')));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'data.mdb')).mode & 0o777, 0o600);
});

test('an empty directory is taken, and one that a first start left half made', async () => {
  const empty = freshDirectory();
  await (await openLmdbStore({ path: empty, policy: DEFAULT_POLICY })).close();
  const halfMade = freshDirectory();
  for (const name of ['data.mdb', 'first-start', 'lock.mdb', 'owner-01234567.sock', 'probe-01234567'])
    writeFileSync(join(halfMade, name), '');
  mkdirSync(join(halfMade, 'lost+found'));
  const store = await openLmdbStore({ path: halfMade, policy: DEFAULT_POLICY });
  assert.equal(existsSync(join(halfMade, 'owner-01234567.sock')), false);
  await store.close();
});

test('what a first start that was stopped left is no data to check or to back up, which is said in a line', async () => {
  const [empty, begun] = [freshDirectory(), freshDirectory()];
  writeFileSync(join(empty, 'data.mdb'), '');
  const env = openEnvironment(begun, 'WRITE');
  env.openDB('meta', { encoding: 'msgpack' });
  await env.close();
  for (const path of [empty, begun]) {
    for (const args of [['check'], ['backup', `${path}.mdb`]]) {
      const { code, stderr } = await run([...args, '--data-dir', path]);
      assert.match(
        stderr,
        /^etcd-discovery: there is no data in [^\n]+ yet, because the first start was interrupted; [^\n]+\n$/,
      );
      assert.equal(code, 1);
    }
    assert.equal(existsSync(`${path}.mdb`), false);
  }
});

test('a directory with no more than what a first start leaves before its data is taken', async () => {
  const path = freshDirectory();
  for (const name of ['lock.mdb', 'owner-01234567.sock', 'probe-01234567'])
    writeFileSync(join(path, name), '');
  await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
});

test('a directory has the same cluster id for ever, and no two have the same', async () => {
  const ids = new Set<bigint>();
  for (const path of [fresh(), fresh()]) {
    for (let i = 0; i < 3; i++) {
      const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
      ids.add(store.clusterId);
      await store.close();
    }
  }
  assert.equal(ids.size, 2);
});

/** Someone who may not write: another user where this one may do everything. */
function asStranger(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
}

/** Why this test cannot be made here, if so: a stranger must be able to run the tests' own code. */
function noStranger(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const { status } = spawnSync(
    process.execPath,
    ['-e', `require('fs').readdirSync(${JSON.stringify(here)})`],
    asStranger(),
  );
  return status === 0 ? undefined : 'another user cannot read the compiled tests';
}

for (const [what, make, words] of [
  [
    'a directory that this user may not write',
    () => {
      const path = freshDirectory();
      chmodSync(path, 0o555);
      return path;
    },
    /permission denied: this user \(uid \d+\) cannot create or write .*\(chown\)/,
  ],
  [
    'a directory that this user may not make',
    () => {
      const path = freshDirectory();
      chmodSync(path, 0o555);
      return join(path, 'data');
    },
    /permission denied: this user \(uid \d+\) cannot create or write .*\(chown\)/,
  ],
  [
    'data that this user may not read',
    async () => {
      const path = freshDirectory();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
      else chmodSync(join(path, 'data.mdb'), 0);
      return path;
    },
    /permission denied: this user \(uid \d+\) cannot read or write .*\(chown\)/,
  ],
] satisfies Array<[string, () => string | Promise<string>, RegExp]>) {
  test(`${what} is refused in words, with exit code 1`, async (t) => {
    const reason = noStranger();
    if (reason !== undefined) {
      console.log(`skipped: ${reason}`);
      t.skip(reason);
      return;
    }
    chmodSync(home, 0o755);
    const path = await make();
    const child = new StoreProcess([path, 'leave'], { options: asStranger() });
    assert.deepEqual(await child.ended, { code: 1, signal: null });
    assert.match(child.stderr, words);
    assert.match(child.stderr, /^STORE_UNAVAILABLE: [^\n]+\n$/, 'one line');
  });
}

function withDataFile(content: Buffer): string {
  const path = freshDirectory();
  writeFileSync(join(path, 'data.mdb'), content);
  return path;
}

/** What is in a directory, without LMDB's lock file, which says nothing. */
function listing(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'lock.mdb')
    .sort()
    .map((name) => {
      const file = join(path, name);
      return statSync(file).isFile() ? `${name} ${readFileSync(file, 'base64')}` : name;
    });
}
