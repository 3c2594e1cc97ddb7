import type { IKeyValue, ITxnResponse } from 'etcd3';
import { type Revision, revision } from '../../discovery/types.ts';
import type { Piece } from './client/call-batcher.ts';
import type { EtcdConnection } from './client/connection.ts';
import type { Operation } from './log/operations.ts';

/** WritePiece is one write of a call. */
export interface WritePiece extends Piece {
  readonly operation: Operation;
  readonly done: (outcome: WriteOutcome) => void;
}

export interface WriteOutcome {
  /** Whether the condition held and the change was written. */
  readonly succeeded: boolean;
  /** The revision of the change, or of the read in its place. */
  readonly revision: Revision;
  readonly kvs: readonly IKeyValue[];
  /** The tick at which it was sent. */
  readonly tick: number;
}

/** Operations in a nested transaction count in addition to those of the outer ones; none has more than 6. */
export const WRITE_BOUNDS = { calls: 2, pieces: 100, bytes: 1024 * 1024 };

/** Returns the approximate bytes of an operation in its request. */
export function bytesOf({ success, failure, compare }: Operation): number {
  let bytes = 100 * (success.length + failure.length + compare.length);
  for (const { request_put: put } of success) bytes += (put?.key?.length ?? 100) + (put?.value?.length ?? 0);
  return bytes;
}

/** Sends writes as nested transactions in one transaction, each with its own condition, and settles each. */
export async function sendWrites(
  connection: EtcdConnection,
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

function outcomeOf({ succeeded, responses }: ITxnResponse, at: string, tick: number): WriteOutcome {
  const kvs = succeeded ? [] : (responses[0]?.response_range.kvs ?? []);
  return { succeeded, kvs, revision: revision(BigInt(at)), tick };
}
