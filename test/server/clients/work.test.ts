import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { suite, test } from 'node:test';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { WORK_LIMITS } from '../../../src/limits.ts';
import type { PortRequest } from '../../../src/port/port.ts';
import type { Quota } from '../../../src/rpc/caller.ts';
import { type AdmissionRequest, Limiter } from '../../../src/server/clients/limiter.ts';
import type { Rate } from '../../../src/values/token-bucket.ts';
import { sendingMeter, sendingUnits, units } from '../../../src/work.ts';
import { defaultConfig } from '../../support/service.ts';

const CALL: AdmissionRequest = { isWait: false, mustPass: false };
const SECOND = 1000;

/** A limiter with a clock of its own, and a client of it. */
class Charged {
  now = 0;
  readonly #limiter: Limiter;
  readonly #address: string;

  constructor(requests: Rate | 'off', address = '198.51.100.1') {
    this.#address = address;
    this.#limiter = new Limiter({
      limits: { ...defaultConfig().limits.perClient, requests },
      maxWatches: 1,
      trustedProxies: undefined,
      log: { warn() {} },
      now: () => this.now,
    });
  }

  get #client() {
    const socket = { remoteAddress: this.#address } as Socket;
    return this.#limiter.visitorOf({ headers: {}, socket } as unknown as PortRequest).client;
  }

  get work(): Quota {
    return this.#limiter.quotaOf(this.#client);
  }

  /** How many requests are let in, one after the other. */
  letIn(most = 1000): number {
    for (let count = 0; count < most; count += 1) {
      const entered = this.#limiter.enter(this.#client, CALL);
      if (entered instanceof DiscoveryError) return count;
      entered();
    }
    return most;
  }
}

const RATE: Rate = { burst: 10, interval: SECOND };
// A tenth of a burst is kept for those who do not come again.
const KEPT = 1;

suite('work is of the same bucket as requests', () => {
  test('what is asked for before is taken as so many requests', () => {
    const client = new Charged(RATE);
    client.work.ask(4);
    assert.equal(client.letIn(), 10 - KEPT - 4);
  });

  test('what is owed afterwards lets nobody in until it is there again, however much it is', () => {
    const client = new Charged(RATE);
    client.work.owe(110);
    assert.equal(client.letIn(), 0);
    client.now = 100 * SECOND;
    assert.equal(client.letIn(), 0);
    client.now = (100 + KEPT + 1) * SECOND;
    assert.equal(client.letIn(), 1);
  });

  test('more than there is is refused before it is done, with when to come again, and costs nothing', () => {
    const client = new Charged(RATE);
    client.work.ask(7);
    const refused = (thrown: unknown): boolean =>
      thrown instanceof DiscoveryError &&
      thrown.reason === 'TOO_MANY_REQUESTS' &&
      thrown.facts.retryAfter === 1 * SECOND;
    assert.throws(() => client.work.ask(4), refused);
    client.work.ask(3);
  });

  test('what is more than a burst is done when the bucket is full, and owed', () => {
    const client = new Charged(RATE);
    client.work.ask(25);
    assert.throws(() => client.work.ask(1));
    client.now = 15 * SECOND;
    assert.throws(() => client.work.ask(1));
    client.now = 16 * SECOND;
    client.work.ask(1);
  });

  test('nothing is nothing, also for who has nothing left', () => {
    const client = new Charged(RATE);
    client.work.owe(20);
    client.work.ask(0);
    client.work.ask(-1);
    client.work.owe(-20);
    assert.equal(client.letIn(), 0);
  });

  test('a message of a stream is one, and is told how long to wait for it', () => {
    const client = new Charged(RATE);
    for (let message = 0; message < 10; message += 1) assert.equal(client.work.turn(), 0);
    assert.equal(client.work.turn(), SECOND);
    client.now = SECOND;
    assert.equal(client.work.turn(), 0);
    assert.equal(client.letIn(), 0);
  });

  test('without a limit, and of this machine, nothing is counted', () => {
    for (const client of [new Charged('off'), new Charged(RATE, '127.0.0.1')]) {
      client.work.owe(1e9);
      client.work.ask(1e9);
      assert.equal(client.work.turn(), 0);
    }
    const client = new Charged('off');
    client.work.owe(1e9);
    assert.equal(client.letIn(), 1000);
  });
});

test('an answer counts by its bytes: a small one nothing, a compressed one for what it was', () => {
  const { sentBytes, compressedBytes } = WORK_LIMITS;
  assert.equal(sendingUnits(sentBytes - 1), 0);
  assert.equal(sendingUnits(3 * sentBytes), 3);
  assert.equal(sendingUnits(sentBytes, true), sentBytes / compressedBytes);
  assert.equal(units(999, 500), 1);
});

test('a stream counts by the bytes of all that was sent on it', () => {
  const owed: number[] = [];
  const count = sendingMeter({ ask() {}, owe: (more) => owed.push(more), turn: () => 0 });
  for (let message = 0; message < 10; message += 1) count(WORK_LIMITS.sentBytes / 4);
  count(2 * WORK_LIMITS.sentBytes);
  assert.deepEqual(owed, [1, 1, 2]);
});
