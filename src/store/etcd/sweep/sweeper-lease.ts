import { hostname } from 'node:os';
import type { EtcdConnection } from '../client/connection.ts';
import { leaveStream } from '../client/etcd3.ts';
import type { Keys } from '../log/keys.ts';
import { isAbsent, putOperation } from '../log/operations.ts';

/** Time in seconds after which another process takes over from a sweeper that died. */
const TTL_SECONDS = 15;
const KEEP_ALIVE_MS = 5000;
const ANSWER_MS = 3000;

/** SweeperLease marks this process as the sweeper: a key that expires with its lease. */
export class SweeperLease {
  readonly #connection: EtcdConnection;
  readonly #keys: Keys;
  #held: { readonly id: string; readonly revision: string; until: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: EtcdConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Returns the revision of the key while this process holds it. Takes the key if it is free. */
  async take(): Promise<string | undefined> {
    if (this.#held !== undefined && performance.now() < this.#held.until) return this.#held.revision;
    this.#lose();
    const key = this.#keys.sweeper;
    const { kvs } = await this.#connection.range({ key, keys_only: true });
    if (kvs.length > 0) return undefined;
    const until = performance.now() + TTL_SECONDS * 1000;
    const id = await this.#connection.grantLease(TTL_SECONDS);
    const value = Buffer.from(JSON.stringify({ host: hostname(), pid: process.pid }));
    const { succeeded, header } = await this.#connection.txn({
      compare: [isAbsent(key)],
      success: [{ request_put: { ...putOperation(key, value).request_put, lease: id } }],
      failure: [],
    });
    if (!succeeded) {
      await this.#connection.revokeLease(id);
      return undefined;
    }
    this.#held = { id, revision: header.revision, until };
    this.#timer = setInterval(() => void this.#keepAlive(), KEEP_ALIVE_MS).unref();
    return header.revision;
  }

  /** Lets another process sweep at once. */
  async release(): Promise<void> {
    const id = this.#held?.id;
    this.#lose();
    // If this fails, the lease expires by itself.
    if (id !== undefined) await this.#connection.revokeLease(id).catch(() => {});
  }

  #lose(): void {
    clearInterval(this.#timer);
    this.#held = undefined;
  }

  async #keepAlive(): Promise<void> {
    const held = this.#held;
    if (held === undefined) return;
    const sent = performance.now();
    const seconds = await this.#renew(held.id).catch(() => undefined);
    if (seconds !== undefined && seconds > 0) held.until = sent + seconds * 1000;
    else if ((seconds === 0 || performance.now() > held.until) && this.#held === held) this.#lose();
  }

  /** Returns the remaining seconds of the lease: 0 if it no longer exists, undefined without a response. */
  async #renew(id: string): Promise<number | undefined> {
    const stream = await this.#connection.keepLeaseAlive();
    return new Promise((resolve) => {
      const done = (seconds: number | undefined): void => {
        clearTimeout(timer);
        resolve(seconds);
        if (seconds === undefined) stream.cancel();
        else leaveStream(stream);
      };
      const timer = setTimeout(done, ANSWER_MS, undefined);
      stream.on('data', ({ TTL }) => done(Number(TTL)));
      stream.on('error', () => done(undefined));
      stream.on('end', () => done(undefined));
      stream.write({ ID: id });
    });
  }
}
