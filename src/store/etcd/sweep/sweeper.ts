import type { IKeyValue, IRequestOp } from 'etcd3';
import { type Millis, millis, type Revision, revision, type Token } from '../../../discovery/types.ts';
import { unavailable } from '../../refusals.ts';
import type { EtcdConnection } from '../client/connection.ts';
import { faultOf } from '../client/fault.ts';
import type { Keys } from '../log/keys.ts';
import { remove, removePlaces } from '../log/operations.ts';
import { SweeperLease } from './sweeper-lease.ts';

/** Tokens of one transaction, which delays other writes while it deletes all of their keys. */
const TOKENS_AT_ONCE = 25;
/** Tokens read at once. For each read, etcd looks at all that have ended: a million after a long outage. */
const TOKENS_READ = 1000;

/** Sweeper forgets tokens that ended long ago, in the one process that holds the lease. */
export class Sweeper {
  readonly #connection: EtcdConnection;
  readonly #keys: Keys;
  readonly #lease: SweeperLease;
  readonly #swept: (token: Token, at: Revision) => void;

  constructor(connection: EtcdConnection, keys: Keys, swept: (token: Token, at: Revision) => void) {
    this.#connection = connection;
    this.#keys = keys;
    this.#lease = new SweeperLease(connection, keys);
    this.#swept = swept;
  }

  /** Returns the number of forgotten tokens; 0 if another process sweeps. */
  async sweep(endedBefore: Millis, limit: number): Promise<number> {
    try {
      let total = 0;
      for (let wasWhole = true; wasWhole && total < limit; ) {
        const wanted = Math.min(TOKENS_READ, limit - total);
        const { kvs } = await this.#connection.range({
          ...this.#keys.endsBefore(endedBefore),
          limit: wanted,
        });
        const swept = await this.#forget(kvs);
        total += swept;
        wasWhole = swept === wanted;
      }
      return total;
    } catch (error) {
      const fault = faultOf(error);
      throw unavailable(`the sweep did not finish: ${fault.cause}`, error);
    }
  }

  async close(): Promise<void> {
    await this.#lease.release();
  }

  /** Returns how many were forgotten. */
  async #forget(ends: readonly IKeyValue[]): Promise<number> {
    let total = 0;
    for (let at = 0; at < ends.length; at += TOKENS_AT_ONCE) {
      const lease = await this.#lease.take();
      if (lease === undefined) break;
      const together = ends.slice(at, at + TOKENS_AT_ONCE);
      const swept = await this.#forgetTogether(together, lease);
      total += swept;
      if (swept < together.length) break;
    }
    return total;
  }

  async #forgetTogether(ends: readonly IKeyValue[], lease: string): Promise<number> {
    const { sweeper } = this.#keys;
    const { succeeded, responses, header } = await this.#connection.txn({
      compare: [{ key: sweeper, target: 'Mod', result: 'Equal', mod_revision: lease }],
      success: ends.map((end) => this.#forgetOne(end)),
      failure: [],
    });
    if (!succeeded) {
      // The key was deleted although its lease may live on. The next sweep takes it again.
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

  /** Conditional on its end time being unchanged. */
  #forgetOne({ key, mod_revision, value }: IKeyValue): IRequestOp {
    const token = this.#keys.parseEnd(key);
    // A token from before places were introduced has none, or the step that added its place wrote this as
    // well.
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
