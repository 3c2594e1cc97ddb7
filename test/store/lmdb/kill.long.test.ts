import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Token } from '../../../src/discovery/types.ts';
import { slow } from '../../slow.ts';
import { lmdbPlace } from '../support/place.ts';
import { Random, seedOfRun } from '../support/random.ts';
import { type Contents, readWhole } from '../support/verify.ts';

const KILLS = slow ? 300 : 50;
const CHILD = fileURLToPath(new URL('./kill-child.js', import.meta.url));

interface Acknowledgement {
  readonly kind: string;
  readonly token: Token;
  readonly member: string;
  readonly revision: bigint;
}

test(`after SIGKILL at ${KILLS} random moments every acknowledged write is there, and none is partial`, async () => {
  const random = new Random(seedOfRun());
  const place = lmdbPlace();
  const acknowledged: Acknowledgement[] = [];
  const revisions = new Set<bigint>();
  let recovered = 0n;
  for (let round = 0; round < KILLS; round++) {
    const lines = await runUntilKilled(place.path, round, random);
    for (const each of lines.map(parse)) {
      assert.ok(each.revision > recovered, 'a revision from before the last kill was reused');
      assert.ok(!revisions.has(each.revision), 'a revision was reused');
      revisions.add(each.revision);
      acknowledged.push(each);
    }
    const contents = await readWhole(place.path);
    for (const each of acknowledged) check(each, contents);
    recovered = contents.revision;
  }
  const swept = new Set(acknowledged.map((each) => each.token)).size;
  const { clusters } = await readWhole(place.path);
  console.log(
    `${acknowledged.length} writes of ${swept} tokens were acknowledged; ${clusters.size} tokens are left`,
  );
  assert.ok(acknowledged.length > KILLS * 20, 'the kills came during the writes');
  place.destroy();
});

/** Runs the writer, kills it after a random number of acknowledgements, and returns them. */
async function runUntilKilled(path: string, round: number, random: Random): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, path, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const enough = random.between(1, 800);
  const delay = random.chance(0.5) ? 0 : random.between(1, 15);
  let output = '';
  let printed = 0;
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
    const before = printed;
    printed = output.split('\n').length - 1;
    // A delay of a few ms hits the writes in progress at other points.
    if (before < enough && printed >= enough) void sleep(delay).then(() => child.kill('SIGKILL'));
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.deepEqual([code, signal], [null, 'SIGKILL'], 'the writer ended before the kill');
  return output.split('\n').slice(0, -1);
}

function parse(line: string): Acknowledgement {
  const [kind = '', token = '', member = '', revision = ''] = line.split(' ');
  return { kind, token: token as Token, member, revision: BigInt(revision) };
}

function check({ kind, token, member, revision }: Acknowledgement, { clusters }: Contents): void {
  const entry = clusters.get(token);
  // Deleted tokens are swept, possibly before their deletion was printed.
  if (entry === undefined && token.startsWith('f')) return;
  assert.ok(entry, `${token} was acknowledged and is missing`);
  if (kind === 'CREATED') {
    assert.equal(entry.cluster.createRevision, revision);
    return;
  }
  const event = entry.events.find((each) => each.revision === revision);
  assert.equal(event?.type, kind, `${kind} ${token} ${revision} was acknowledged and is missing`);
  assert.equal(event.member?.id ?? '-', member);
}
