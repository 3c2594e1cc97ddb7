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

/** A limiter with its own clock, and a client of it. */
class ChargedClient {
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

  /** Returns how many consecutive requests are admitted. */
  admitted(most = 1000): number {
    for (let count = 0; count < most; count += 1) {
      const entered = this.#limiter.enter(this.#client, CALL);
      if (entered instanceof DiscoveryError) return count;
      entered();
    }
    return most;
  }
}

const RATE: Rate = { burst: 10, interval: SECOND };
// A tenth of a burst is reserved for requests that are not retried.
const KEPT = 1;

suite('work shares a bucket with requests', () => {
  test('work charged in advance counts as that many requests', () => {
    const client = new ChargedClient(RATE);
    client.work.ask(4);
    assert.equal(client.admitted(), 10 - KEPT - 4);
  });

  test('work charged afterwards blocks the client until it is paid off, however much it is', () => {
    const client = new ChargedClient(RATE);
    client.work.owe(110);
    assert.equal(client.admitted(), 0);
    client.now = 100 * SECOND;
    assert.equal(client.admitted(), 0);
    client.now = (100 + KEPT + 1) * SECOND;
    assert.equal(client.admitted(), 1);
  });

  test('work above the available amount is rejected in advance with a delay, and costs nothing', () => {
    const client = new ChargedClient(RATE);
    client.work.ask(7);
    const refused = (thrown: unknown): boolean =>
      thrown instanceof DiscoveryError &&
      thrown.reason === 'TOO_MANY_REQUESTS' &&
      thrown.facts.retryAfter === 1 * SECOND;
    assert.throws(() => client.work.ask(4), refused);
    client.work.ask(3);
  });

  test('work larger than a burst is done when the bucket is full, and then paid off', () => {
    const client = new ChargedClient(RATE);
    client.work.ask(25);
    assert.throws(() => client.work.ask(1));
    client.now = 15 * SECOND;
    assert.throws(() => client.work.ask(1));
    client.now = 16 * SECOND;
    client.work.ask(1);
  });

  test('zero work costs nothing, even without units left', () => {
    const client = new ChargedClient(RATE);
    client.work.owe(20);
    client.work.ask(0);
    client.work.ask(-1);
    client.work.owe(-20);
    assert.equal(client.admitted(), 0);
  });

  test('a message of a stream costs one unit, or returns how long it must wait', () => {
    const client = new ChargedClient(RATE);
    for (let message = 0; message < 10; message += 1) assert.equal(client.work.turn(), 0);
    assert.equal(client.work.turn(), SECOND);
    client.now = SECOND;
    assert.equal(client.work.turn(), 0);
    assert.equal(client.admitted(), 0);
  });

  test('without a limit, and for local clients, nothing is counted', () => {
    for (const client of [new ChargedClient('off'), new ChargedClient(RATE, '127.0.0.1')]) {
      client.work.owe(1e9);
      client.work.ask(1e9);
      assert.equal(client.work.turn(), 0);
    }
    const client = new ChargedClient('off');
    client.work.owe(1e9);
    assert.equal(client.admitted(), 1000);
  });
});

test('a response counts by its bytes: small ones nothing, compressed ones by their original size', () => {
  const { sentBytes, compressedBytes } = WORK_LIMITS;
  assert.equal(sendingUnits(sentBytes - 1), 0);
  assert.equal(sendingUnits(3 * sentBytes), 3);
  assert.equal(sendingUnits(sentBytes, true), sentBytes / compressedBytes);
  assert.equal(units(999, 500), 1);
});

test('a stream counts by the total of its bytes', () => {
  const owed: number[] = [];
  const count = sendingMeter({ ask() {}, owe: (more) => owed.push(more), turn: () => 0 });
  for (let message = 0; message < 10; message += 1) count(WORK_LIMITS.sentBytes / 4);
  count(2 * WORK_LIMITS.sentBytes);
  assert.deepEqual(owed, [1, 1, 2]);
});
