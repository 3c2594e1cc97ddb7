import { unavailable } from '../refusals.ts';
import { Group, PATIENCE_MS, type Piece } from './client/call-batcher.ts';
import type { EtcdConnection } from './client/connection.ts';
import { Health } from './client/health.ts';
import type { Keys } from './log/keys.ts';
import { putOperation } from './log/operations.ts';

/** A probe is answered without a call if etcd accepted one within this time, in ms. */
const FRESH_MS = 1000;
/** All probes made during a call share the next one. */
const BOUNDS = { calls: 1, pieces: 1000, bytes: Number.POSITIVE_INFINITY };

interface ProbePiece extends Piece {
  readonly done: () => void;
}

/**
 * WriteProbe checks whether etcd accepts writes. It may not although it answers reads: it is full, or the
 * user may only read. The probe is a write with a condition that never holds, so that nothing is written and
 * no revision is used.
 */
export class WriteProbe {
  readonly #group: Group<ProbePiece>;
  #freshUntil = 0;

  constructor(connection: Pick<EtcdConnection, 'txn'>, { format: key }: Pick<Keys, 'format'>) {
    // Failed writes are logged; failed probes are not.
    this.#group = new Group(BOUNDS, new Health(() => {}), async (pieces, limitMs) => {
      const version = { key, target: 'Version', version: '0' } as const;
      const never = [
        { ...version, result: 'Equal' as const },
        { ...version, result: 'Greater' as const },
      ];
      await connection.txn(
        { compare: never, success: [putOperation(key, Buffer.alloc(0))], failure: [] },
        limitMs,
      );
      this.#freshUntil = performance.now() + FRESH_MS;
      for (const piece of pieces) piece.done();
    });
  }

  /** Rejects as a write would, with STORE_UNAVAILABLE. */
  async ask(): Promise<void> {
    if (performance.now() < this.#freshUntil) return undefined;
    return new Promise((resolve, reject) => {
      this.#group.add({
        bytes: 0,
        due: performance.now() + PATIENCE_MS,
        unsure: false,
        done: resolve,
        fail: ({ cause, error }) => reject(unavailable(cause, error)),
      });
    });
  }
}
