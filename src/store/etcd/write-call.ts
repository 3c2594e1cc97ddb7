import type { IKeyValue, ITxnResponse } from 'etcd3';
import { type Revision, revision } from '../../discovery/types.ts';
import type { Piece } from './client/call-batcher.ts';
import type { Connection } from './client/connection.ts';
import type { Operation } from './log/operations.ts';

/** One write of a call. */
export interface WritePiece extends Piece {
  readonly operation: Operation;
  readonly done: (outcome: Outcome) => void;
}

export interface Outcome {
  /** Whether its condition held, and it was written. */
  readonly succeeded: boolean;
  /** Of the change, or of what was read in its place. */
  readonly revision: Revision;
  readonly kvs: readonly IKeyValue[];
  /** When it was sent. */
  readonly tick: number;
}

/** Operations in a nested transaction count on top of those that it is nested in; none has more than 6. */
export const WRITE_BOUNDS = { calls: 2, pieces: 100, bytes: 1024 * 1024 };

/** About what an operation adds to its request. */
export function bytesOf({ success, failure, compare }: Operation): number {
  let bytes = 100 * (success.length + failure.length + compare.length);
  for (const { request_put: put } of success) bytes += (put?.key?.length ?? 100) + (put?.value?.length ?? 0);
  return bytes;
}

/** Sends writes in one transaction of nested ones, each with its own condition, and tells each what came of it. */
export async function sendWrites(
  connection: Connection,
  pieces: readonly WritePiece[],
  { tick, limitMs }: { readonly tick: number; readonly limitMs: number },
): Promise<void> {
  const requests = pieces.map(({ operation: { compare, success, failure } }) => ({
    compare,
    success,
    failure,
  }));
  const [only] = requests;
  if (requests.length === 1 && only !== undefined) {
    const response = await connection.txn(only, limitMs);
    pieces[0]?.done(outcomeOf(response, response.header.revision, tick));
    return;
  }
  const success = requests.map((request) => ({ request_txn: request }));
  const { header, responses } = await connection.txn({ compare: [], success, failure: [] }, limitMs);
  for (const [i, piece] of pieces.entries()) {
    const response = responses[i]?.response_txn;
    if (response !== undefined) piece.done(outcomeOf(response, header.revision, tick));
  }
}

function outcomeOf({ succeeded, responses }: ITxnResponse, at: string, tick: number): Outcome {
  const kvs = succeeded ? [] : (responses[0]?.response_range.kvs ?? []);
  return { succeeded, kvs, revision: revision(BigInt(at)), tick };
}
