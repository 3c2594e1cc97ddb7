import { unavailable } from '../refusals.ts';
import { Group, PATIENCE_MS, type Piece } from './client/call-batcher.ts';
import type { Connection } from './client/connection.ts';
import { Health } from './client/health.ts';
import type { Keys } from './log/keys.ts';
import { put } from './log/operations.ts';

/** Whoever asks within this time of a write that etcd would have taken is not a write of its own. */
const FRESH_MS = 1000;
/** All who ask while a call is under way share the next one. */
const BOUNDS = { calls: 1, pieces: 1000, bytes: Number.POSITIVE_INFINITY };

interface ProbePiece extends Piece {
  readonly done: () => void;
}

/**
 * Whether etcd takes writes, which it may not although it answers reads: it is full, or the user may only read. It is
 * asked with one on a condition that never holds, so that nothing is written and no revision is used up.
 */
export class WriteProbe {
  readonly #group: Group<ProbePiece>;
  #freshUntil = 0;

  constructor(connection: Pick<Connection, 'txn'>, { format: key }: Pick<Keys, 'format'>) {
    // Writes that fail are logged; a question is not.
    this.#group = new Group(BOUNDS, new Health(() => {}), async (pieces, limitMs) => {
      const version = { key, target: 'Version', version: '0' } as const;
      const never = [
        { ...version, result: 'Equal' as const },
        { ...version, result: 'Greater' as const },
      ];
      await connection.txn({ compare: never, success: [put(key, Buffer.alloc(0))], failure: [] }, limitMs);
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
