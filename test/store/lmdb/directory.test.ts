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
import { slow } from '../../slow.ts';
import { run } from '../../support/child.ts';
import { expectRefusal } from '../laws/subject.ts';
import { StoreProcess } from '../support/process.ts';

const home = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

let made = 0;
function freshPath(): string {
  made += 1;
  return join(home, `place-${made}`);
}

function freshDirectory(): string {
  const path = freshPath();
  mkdirSync(path);
  return path;
}

/** Directories that are rejected: what they are, how to make them, and the error. */
const REFUSED: ReadonlyArray<[what: string, make: () => string | Promise<string>, pattern: RegExp]> = [
  [
    'the data directory of an etcd node',
    () => {
      const path = freshPath();
      mkdirSync(join(path, 'member', 'snap'), { recursive: true });
      return path;
    },
    /looks like the data directory of an etcd node and has no data of etcd-discovery \(it contains member\)/,
  ],
  [
    'a directory with other files',
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
      const path = freshPath();
      writeFileSync(path, 'x');
      return path;
    },
    /or a parent of it is a file; choose a directory/,
  ],
  [
    'a path below a file',
    () => {
      const path = freshPath();
      writeFileSync(path, 'x');
      return join(path, 'data');
    },
    /or a parent of it is a file; choose a directory/,
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
    'an empty data file',
    async () => {
      const path = freshPath();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      writeFileSync(join(path, 'data.mdb'), '');
      return path;
    },
    /data\.mdb is empty: .*; restore a backup, or remove the file/,
  ],
  [
    'old data moved aside with nothing in its place',
    async () => {
      const path = freshPath();
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
    'the LMDB data of another program with a meta database',
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
      const path = freshPath();
      await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
      const env = open({ path, noSubdir: false, maxDbs: 8 });
      await env.openDB('meta', { encoding: 'msgpack' }).put('formatVersion', 7);
      await env.close();
      return path;
    },
    /a newer etcd-discovery .*\(format 7, .* 6\); run that version or a later one/,
  ],
  [
    'a path too long for a socket',
    () => {
      const path = join(freshPath(), 'x'.repeat(120));
      mkdirSync(path, { recursive: true });
      return path;
    },
    /the path of the data directory is too long: .* choose a shorter path/,
  ],
];

for (const [i, [what, make, pattern]] of REFUSED.entries()) {
  // The command reports all of them in the same way.
  const withCommand = slow || i % 4 === 0;
  const by = withCommand ? 'the store and the command' : 'the store';
  test(`${what} is rejected with a reason by ${by}, and left unchanged`, async () => {
    const path = await make();
    const before = listing(path);
    const error = await expectRefusal('STORE_UNAVAILABLE', openLmdbStore({ path, policy: DEFAULT_POLICY }));
    assert.match(error.message, pattern);
    assert.deepEqual(listing(path), before);
    if (!withCommand) return;
    const { code, stdout, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', path]);
    assert.equal(code, 1);
    assert.match(stderr, pattern);
    assert.match(stderr, /^etcd-discovery: [^\n]+\n$/, 'one line');
    assert.equal(stdout.includes('"serving"'), false);
    assert.deepEqual(listing(path), before);
  });
}

test('a missing directory is created with its parents, and only its owner can read it', async () => {
  const path = join(freshPath(), 'deep', 'down');
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  await store.close();
  assert.ok(existsSync(join(path, 'data.mdb')));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(statSync(join(path, 'data.mdb')).mode & 0o777, 0o600);
});

test('an empty directory is accepted, and so is a half-finished first start', async () => {
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

test('check and backup report an interrupted first start as no data, in one line', async () => {
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

test('a directory with only the files that a first start makes before its data is accepted', async () => {
  const path = freshDirectory();
  for (const name of ['lock.mdb', 'owner-01234567.sock', 'probe-01234567'])
    writeFileSync(join(path, name), '');
  await (await openLmdbStore({ path, policy: DEFAULT_POLICY })).close();
});

test('a directory keeps its cluster id, and no two share one', async () => {
  const ids = new Set<bigint>();
  for (const path of [freshPath(), freshPath()]) {
    for (let i = 0; i < 3; i++) {
      const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
      ids.add(store.clusterId);
      await store.close();
    }
  }
  assert.equal(ids.size, 2);
});

/** Returns options to run as a user without write permission: another user if this one is root. */
function asOtherUser(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
}

/** Returns why the test cannot run here, if so: the other user must be able to run the compiled tests. */
function reasonToSkip(): string | undefined {
  const { status } = spawnSync('ls', [dirname(fileURLToPath(import.meta.url))], asOtherUser());
  return status === 0 ? undefined : 'another user cannot read the compiled tests';
}

for (const [what, make, pattern] of [
  [
    'a directory that this user cannot write',
    () => {
      const path = freshDirectory();
      chmodSync(path, 0o555);
      return path;
    },
    /permission denied: this user \(uid \d+\) cannot create or write .*\(chown\)/,
  ],
  [
    'a directory that this user cannot create',
    () => {
      const path = freshDirectory();
      chmodSync(path, 0o555);
      return join(path, 'data');
    },
    /permission denied: this user \(uid \d+\) cannot create or write .*\(chown\)/,
  ],
  [
    'data that this user cannot read',
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
  test(`${what} is rejected with a reason and exit code 1`, async (t) => {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`skipped: ${reason}`);
      t.skip(reason);
      return;
    }
    chmodSync(home, 0o755);
    const path = await make();
    const child = new StoreProcess([path, 'leave'], { options: asOtherUser() });
    assert.deepEqual(await child.ended, { code: 1, signal: null });
    assert.match(child.stderr, pattern);
    assert.match(child.stderr, /^STORE_UNAVAILABLE: [^\n]+\n$/, 'one line');
  });
}

function withDataFile(content: Buffer): string {
  const path = freshDirectory();
  writeFileSync(join(path, 'data.mdb'), content);
  return path;
}

/** Returns the contents of a directory except LMDB's lock file, which varies. */
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
