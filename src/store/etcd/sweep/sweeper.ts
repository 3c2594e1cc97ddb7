import type { IKeyValue, IRequestOp } from 'etcd3';
import { type Millis, millis, type Revision, revision, type Token } from '../../../discovery/types.ts';
import { unavailable } from '../../refusals.ts';
import type { Connection } from '../client/connection.ts';
import { faultOf } from '../client/fault.ts';
import type { Keys } from '../log/keys.ts';
import { remove, removePlaces } from '../log/operations.ts';
import { SweeperLease } from './sweeper-lease.ts';

/** Tokens of one transaction: it holds other writes up while it takes all of their keys away. */
const TOKENS_AT_ONCE = 25;

/** Forgets tokens that ended long ago, in the one process at a time that holds the lease. */
export class Sweeper {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #lease: SweeperLease;
  readonly #swept: (token: Token, at: Revision) => void;

  constructor(connection: Connection, keys: Keys, swept: (token: Token, at: Revision) => void) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lease = new SweeperLease(connection, keys);
    this.#swept = swept;
  }

  /** Returns how many; 0 where another process sweeps. */
  async sweep(endedBefore: Millis, limit: number): Promise<number> {
    try {
      let total = 0;
      while (total < limit) {
        const wanted = Math.min(TOKENS_AT_ONCE, limit - total);
        const { kvs } = await this.#connection.range({
          ...this.#keys.endsBefore(endedBefore),
          limit: wanted,
        });
        // Looked at first: with nothing to sweep, nobody needs the lease.
        if (kvs.length === 0) break;
        const lease = await this.#lease.take();
        if (lease === undefined) break;
        const swept = await this.#forget(kvs, lease);
        total += swept;
        if (swept < wanted) break;
      }
      return total;
    } catch (error) {
      const fault = faultOf(error);
      throw unavailable(`the sweep was not finished: ${fault.cause}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#lease.release();
  }

  async #forget(ends: readonly IKeyValue[], lease: string): Promise<number> {
    const { sweeper } = this.#keys;
    const { succeeded, responses, header } = await this.#connection.txn({
      compare: [{ key: sweeper, target: 'Mod', result: 'Equal', mod_revision: lease }],
      success: ends.map((end) => this.#forgetOne(end)),
      failure: [],
    });
    if (!succeeded) {
      // The key is gone although its lease may live on: somebody took it away. The next sweep asks for it anew.
      await this.#lease.release();
      return 0;
    }
    const at = revision(BigInt(header.revision));
    let swept = 0;
    for (const [i, { response_txn: one }] of responses.entries()) {
      if (!one.succeeded) continue;
      swept += 1;
      this.#swept(this.#keys.parseEnd((ends[i] as IKeyValue).key), at);
    }
    return swept;
  }

  /** On the condition that its end has not moved since. */
  #forgetOne({ key, mod_revision, value }: IKeyValue): IRequestOp {
    const token = this.#keys.parseEnd(key);
    // One that was made before there were places has none, or what gave it one put this there, too.
    const createTime = millis(Number(value.toString()));
    return {
      request_txn: {
        compare: [{ key, target: 'Mod', result: 'Equal', mod_revision }],
        success: [
          remove(key),
          { request_delete_range: this.#keys.log(token) },
          remove(this.#keys.size(token)),
          { request_delete_range: this.#keys.members(token) },
          ...removePlaces(this.#keys, { createTime, token }),
        ],
        failure: [],
      },
    };
  }
}
