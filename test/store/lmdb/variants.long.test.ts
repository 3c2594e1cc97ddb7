import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import { revision, type Token } from '../../../src/discovery/types.ts';
import { type LmdbStore, openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { slow } from '../../slow.ts';
import { at, create, HOUR, memberId, node, size, token, ttl } from '../support/commands.ts';
import { lmdbPlace } from '../support/place.ts';
import { Random, seedOfRun } from '../support/random.ts';
import { usedBytes, VARIANTS } from './variants.ts';

const TOKENS = 60;
const TIMES = slow ? 100 : 6;
const LIMIT = 3;

const random = new Random(seedOfRun());
const place = lmdbPlace();
/** The data file as it is, and as it was earlier. */
let whole: Buffer;
const older: Buffer[] = [];
/** Everything that can be read, for each token and for a missing one. */
const answers = new Map<Token, unknown>();
let counts: unknown;

before(async () => {
  const file = join(place.path, 'data.mdb');
  const store = await place.open(DEFAULT_POLICY);
  const discovery = new Discovery(store, DEFAULT_POLICY);
  const tokens = Array.from({ length: TOKENS }, () => token());
  const gone = Array.from({ length: TOKENS / 4 }, () => token());
  for (const t of tokens) await discovery.createToken(create(t, size(9)));
  for (const t of gone) await discovery.createToken(create(t, ttl(1)));
  for (let n = 1; n <= 6; n++) {
    // Some have no member, and others have many.
    for (const [i, t] of tokens.entries()) if (i % 8 >= n) await discovery.register(t, node(n));
    older.push(readFileSync(file));
  }
  await store.sweep(at(Date.now() + 1000), TOKENS);
  older.push(readFileSync(file));
  for (const [i, t] of tokens.entries()) {
    if (i % 8 === 7) await discovery.register(t, node(1, { mode: 'REPLACE', peerUrls: node(9).peerUrls }));
    if (i % 8 === 6) await discovery.deregister(t, memberId('id2'), undefined);
    if (i % 8 === 5) await discovery.deleteToken(t);
  }
  for (const t of [...tokens, ...gone, token()]) answers.set(t, await readToken(store, t));
  counts = countsOf(store as LmdbStore);
  await store.close();
  whole = usedBytes(file);
});

after(() => place.destroy());

async function readToken(store: Store, t: Token): Promise<unknown> {
  const { cluster } = await store.read(t);
  const events: unknown[] = [];
  for (let from = revision(0); ; ) {
    const part = await store.events(t, from, LIMIT);
    events.push(...part);
    from = part.at(-1)?.revision ?? from;
    if (part.length === 0) return { cluster, events };
  }
}

function countsOf(store: LmdbStore): unknown {
  return { tokens: store.tokens(), bytes: store.bytes() };
}

/** Returns undefined if the call fails because of damage. */
async function unlessDamaged<T>(call: () => Promise<T>, words = /damaged/): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof DiscoveryError)) throw error;
    assert.match(error.message, words, error.message);
    return undefined;
  }
}

async function listTokens(store: Store): Promise<Token[]> {
  const tokens: Token[] = [];
  for (let part: readonly { token: Token }[] = await store.list(undefined, 7); part.length > 0; ) {
    tokens.push(...part.map((each) => each.token));
    assert.ok(tokens.length <= answers.size);
    part = await store.list(tokens.at(-1), 7);
  }
  return tokens;
}

type Outcome = 'WHOLE' | 'REFUSED' | 'IN PART';

async function outcomeOf(path: string): Promise<Outcome> {
  const store: LmdbStore | undefined = await unlessDamaged(
    () => openLmdbStore({ path, policy: DEFAULT_POLICY }),
    // If a page of another tree replaces the main one, its names are unknown.
    /damaged|written by another program|cannot open/,
  );
  if (store === undefined) return 'REFUSED';
  let outcome: Outcome = 'WHOLE';
  try {
    assert.deepEqual(countsOf(store), counts);
    const discovery = new Discovery(store, DEFAULT_POLICY);
    const damagedTokens: Token[] = [];
    for (const [t, right] of answers) {
      const answer: unknown = await unlessDamaged(() => readToken(store, t));
      if (answer === undefined) damagedTokens.push(t);
      else assert.deepEqual(answer, right);
    }
    const inOrder = [...answers.keys()].filter((t) => isThere(answers.get(t))).sort();
    const list = await unlessDamaged(() => listTokens(store));
    if (list !== undefined) assert.deepEqual(list, inOrder);
    if (damagedTokens.length > 0 || list === undefined) outcome = 'IN PART';
    for (const t of damagedTokens.slice(0, 3)) {
      // Even if only its changes are damaged, the record shows that the token exists.
      const made = await discovery.createToken(create(t, size(7))).catch((error: unknown) => error);
      assert.ok(made instanceof DiscoveryError, 'a damaged token is not overwritten');
    }
    await unlessDamaged(() => store.sweep(at(Date.now() + 2 * HOUR), 10));
  } finally {
    await store.close();
  }
  return outcome;
}

function isThere(answer: unknown): boolean {
  return (answer as { cluster?: unknown }).cluster !== undefined;
}

for (const [what, change] of Object.entries(VARIANTS)) {
  test(`reads of data with ${what} are right, or rejected as damaged`, async () => {
    const outcomes = { WHOLE: 0, REFUSED: 0, 'IN PART': 0 };
    for (let i = 0; i < TIMES; i++) {
      const path = join(place.path, 'variant');
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path, { mode: 0o700 });
      const bytes = Buffer.from(whole);
      change(bytes, older, random);
      writeFileSync(join(path, 'data.mdb'), bytes);
      outcomes[await outcomeOf(path)] += 1;
    }
    console.log(`${what}: ${JSON.stringify(outcomes)}`);
  });
}
