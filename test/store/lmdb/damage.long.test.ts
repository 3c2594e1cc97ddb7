import assert from 'node:assert/strict';
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { slow } from '../../slow.ts';
import { run } from '../../support/child.ts';
import { expectRefusal } from '../laws/subject.ts';
import { at, create, HOUR, node, token, ttl } from '../support/commands.ts';
import { lmdbPlace } from '../support/place.ts';
import { Random, seedOfRun } from '../support/random.ts';

const TOKENS = 150;
const TIMES = slow ? 150 : 25;
const PAGE = 4096;
const DAMAGED =
  /^the data in the data directory is damaged: .+; restore the directory from a backup, or start with an empty one$/;
const DAMAGED_TOKEN = /^the data of this token is damaged: .+; other tokens are served; use a new token/;
const NOT_OURS = /data\.mdb is damaged or was not written by etcd-discovery; restore it from a backup/;
const FOREIGN = /^the data in the data directory was written by another program; choose an empty/;

const random = new Random(seedOfRun());
const whole = lmdbPlace();
/** The contents of each token. */
const contents = new Map<Token, unknown>();

before(async () => {
  const store = await whole.open(DEFAULT_POLICY);
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const tokens = Array.from({ length: TOKENS }, () => token());
  await Promise.all(
    tokens.map(async (t) => {
      await discovery.createToken(create(t));
      for (const n of [1, 2, 3]) await discovery.register(t, node(n));
    }),
  );
  // Leaves free pages at the end of the file.
  const gone = Array.from({ length: TOKENS }, () => token());
  await Promise.all(gone.map((t) => discovery.createToken(create(t, ttl(1)))));
  assert.equal(await store.sweep(at(Date.now() + 1000), TOKENS), TOKENS);
  for (const t of tokens) contents.set(t, await readToken(store, t));
  await store.close();
  // Cuts the space that the store reserves after its pages: damage there proves nothing.
  const file = join(whole.path, 'data.mdb');
  const bytes = readFileSync(file);
  truncateSync(file, PAGE * Math.ceil(bytes.findLastIndex((byte) => byte !== 0) / PAGE));
});

after(() => whole.destroy());

async function readToken(store: Store, t: Token): Promise<unknown> {
  const { cluster } = await store.read(t);
  return { cluster, events: await store.events(t, revision(0), 10) };
}

/** Passes a copy with a changed data file. */
async function withDamage(
  change: (bytes: Buffer) => Buffer,
  look: (place: ReturnType<typeof lmdbPlace>) => Promise<void>,
): Promise<void> {
  const place = lmdbPlace();
  cpSync(whole.path, place.path, { recursive: true });
  const file = join(place.path, 'data.mdb');
  writeFileSync(file, change(readFileSync(file)));
  await look(place);
  place.destroy();
}

/**
 * Asserts that the store either fails to open with a reason, or has everything, because the damage hit unused bytes.
 */
async function checkRefusedOrWhole(place: ReturnType<typeof lmdbPlace>): Promise<'REFUSED' | 'WHOLE'> {
  let store: Store;
  try {
    store = await place.open(DEFAULT_POLICY);
  } catch (error) {
    assert.ok(error instanceof DiscoveryError, String(error));
    assert.equal(error.reason, 'STORE_UNAVAILABLE');
    assert.ok(
      [DAMAGED, NOT_OURS, FOREIGN].some((words) => words.test(error.message)),
      error.message,
    );
    return 'REFUSED';
  }
  for (const [t, expected] of contents) assert.deepEqual(await readToken(store, t), expected);
  const discovery = new Discovery(store, DEFAULT_POLICY);
  await Promise.all([...contents.keys()].map((t) => discovery.deleteToken(t)));
  await store.close();
  return 'WHOLE';
}

const DAMAGES: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'a page of zeros': (bytes) => bytes.fill(0, ...pageIn(bytes)),
  'a page of noise': (bytes) => {
    const [start, end] = pageIn(bytes);
    for (let i = start; i < end; i++) bytes[i] = random.between(0, 255);
    return bytes;
  },
  'a page in the place of another': (bytes) => {
    const [from] = pageIn(bytes);
    const [to] = pageIn(bytes);
    bytes.copy(bytes, to, from, from + PAGE);
    return bytes;
  },
  'a header with a flipped bit': (bytes) => {
    const [start] = pageIn(bytes);
    const i = start + random.between(0, 23);
    bytes[i] = (bytes[i] as number) ^ (1 << random.between(0, 7));
    return bytes;
  },
  'a meta page with a flipped bit': (bytes) => {
    const i = PAGE * random.between(0, 1) + random.between(0, 159);
    bytes[i] = (bytes[i] as number) ^ (1 << random.between(0, 7));
    return bytes;
  },
  'its end cut off': (bytes) => bytes.subarray(0, random.between(1, bytes.length - 1)),
};

function pageIn(bytes: Buffer): [start: number, end: number] {
  const start = PAGE * random.between(0, bytes.length / PAGE - 1);
  return [start, start + PAGE];
}

for (const [what, change] of Object.entries(DAMAGES)) {
  test(`data with ${what} is rejected with a reason, unless the damage hit unused bytes`, async () => {
    const counts = { REFUSED: 0, WHOLE: 0 };
    for (let i = 0; i < TIMES; i++) {
      await withDamage(change, async (place) => {
        counts[await checkRefusedOrWhole(place)] += 1;
      });
    }
    console.log(`${what}: ${JSON.stringify(counts)}`);
    assert.ok(counts.REFUSED > 0);
  });
}

test('a missing last page is damage only if the page is in use', async () => {
  const outcomes: string[] = [];
  const look = async (place: ReturnType<typeof lmdbPlace>): Promise<void> => {
    outcomes.push(await checkRefusedOrWhole(place));
  };
  // Zeros show whether the page is in use, which varies.
  await withDamage((bytes) => bytes.fill(0, bytes.length - PAGE), look);
  await withDamage((bytes) => bytes.subarray(0, bytes.length - PAGE), look);
  assert.equal(outcomes[1], outcomes[0]);
});

test('the command reports damage in one line and exits with 1', async () => {
  await withDamage(
    (bytes) => bytes.subarray(0, bytes.length >> 1),
    async ({ path }) => {
      const { code, stderr } = await run(['serve', '--addr', '127.0.0.1:0', '--data-dir', path]);
      assert.equal(code, 1);
      assert.match(stderr, /^etcd-discovery: the data in the data directory is damaged: [^\n]+\n$/);
    },
  );
});

test('an unreadable record fails only calls for its token; the error names the damage, not the token', async () => {
  // Far apart in the file, so that bytes after the one do not belong to the other.
  const inOrder = [...contents.keys()].sort();
  const [victim, other] = [inOrder[0], inOrder[TOKENS / 2]] as [Token, Token];
  await withDamage(
    (bytes) => {
      // The first member's name, in every copy of the record in used and unused pages.
      for (let at = bytes.indexOf(victim); at >= 0; at = bytes.indexOf(victim, at + 1)) {
        const start = bytes.indexOf('infra1', at);
        if (start > 0 && start - at < 200) bytes.fill(0xc1, start - 1, start + 6);
      }
      return bytes;
    },
    async (place) => {
      const store = await place.open(DEFAULT_POLICY);
      const discovery = new Discovery(store, DEFAULT_POLICY);
      const calls: ReadonlyArray<() => Promise<unknown>> = [
        () => store.read(victim),
        () => discovery.register(victim, node(1)),
        () => discovery.deleteToken(victim),
      ];
      for (const call of calls) {
        const error = await call().then(
          () => assert.fail('the damaged token was read'),
          (refused: unknown) => refused as DiscoveryError,
        );
        assert.equal(error.reason, 'INTERNAL');
        assert.match(error.message, DAMAGED_TOKEN);
        assert.equal(error.message.includes(victim), false);
      }
      assert.deepEqual(await readToken(store, other), contents.get(other));
      assert.equal((await discovery.deleteToken(other)).changed, true);
      // Nor does it keep other tokens from being swept.
      const later = at(Date.now() + 2 * HOUR);
      let swept = 0;
      while (swept < TOKENS - 1) swept += await store.sweep(later, 10);
      const error = await expectRefusal('INTERNAL', store.sweep(later, 10));
      assert.match(error.message, DAMAGED_TOKEN);
      await store.close();
    },
  );
});
