import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Indexes } from '../etcdv2/exchange.ts';
import { forgetHistory } from '../support/forget-history.ts';
import { startService } from '../support/service.ts';
import { ANY, DIFFERENCES, type Expected } from './differences.ts';
import { connect, type Plain } from './etcd.ts';
import { playScript, type Step } from './script.ts';

/** Fields that identify a server. */
const INCIDENTAL = /^(clusterId|memberId|raftTerm)$/;

/** Compares a response with the expected one. Revisions are mapped, and everything else must be equal. */
function compare(actual: Plain | undefined, expected: Expected, revisions: Indexes, where: string): void {
  const name = where.split('.').at(-1) ?? '';
  if (expected === ANY || INCIDENTAL.test(name)) {
    assert.ok(actual !== undefined, `${where} exists`);
  } else if (expected instanceof RegExp) {
    assert.match(typeof actual === 'string' ? actual : '', expected, where);
  } else if (/revision$/i.test(name)) {
    revisions.match(Number(expected), Number(actual), where);
  } else if (typeof expected === 'object') {
    assert.ok(typeof actual === 'object', `${where}: ${JSON.stringify(actual)} is an object`);
    assert.deepEqual(
      Object.keys(actual).sort(),
      Object.keys(expected).sort(),
      `the fields of ${where}, ${JSON.stringify(actual)}`,
    );
    for (const [field, value] of Object.entries<Expected>(expected as Record<string, Expected>)) {
      compare((actual as Record<string, Plain>)[field], value, revisions, `${where}.${field}`);
    }
  } else {
    assert.equal(actual, expected, where);
  }
}

/** Mapped revisions, which can be copied to try another mapping. */
class Revisions extends Indexes {
  readonly #matched: Array<[number, number]> = [];

  override match(theirs: number, ours: number, where: string): void {
    super.match(theirs, ours, where);
    this.#matched.push([theirs, ours]);
  }

  copy(): Revisions {
    const copy = new Revisions();
    for (const [theirs, ours] of this.#matched) copy.match(theirs, ours, '');
    return copy;
  }
}

function isSame(actual: Plain, recorded: Plain, revisions: Revisions): boolean {
  try {
    compare(actual, recorded, revisions.copy(), 'answer');
    return true;
  } catch {
    return false;
  }
}

test('every kind of call gets the response of a recorded etcd 3.7, or differs as listed', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  const recorded = readFileSync('test/golden/etcd-3.7-v3.jsonl', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Step);
  const names = recorded.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, 'every step has a unique name');
  const unknown = Object.keys(DIFFERENCES).filter((name) => !names.includes(name));
  assert.deepEqual(unknown, [], 'every listed difference belongs to a step');

  const revisions = new Revisions();
  const compact = async (token: string, revision: bigint): Promise<void> =>
    forgetHistory(service.discovery, token, revision);
  const steps = recorded.values();
  for await (const { name, answer } of playScript({ etcd: connect(service.url), compact })) {
    const step = steps.next().value;
    assert.equal(name, step?.name, 'the script is the recorded one; record it again');
    const theirs = step?.answer ?? '';
    const difference = DIFFERENCES[name];
    const isOne = difference === undefined || !isSame(answer, theirs, revisions);
    assert.ok(isOne, `the listed difference "${name}" differs`);
    compare(answer, difference?.change(theirs) ?? theirs, revisions, name.replaceAll('.', ''));
  }
  assert.ok(steps.next().done, 'the script is the recorded one; record it again');
});
