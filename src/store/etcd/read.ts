import type { IKeyValue, IRangeRequest, IRangeResponse } from 'etcd3';
import { type Revision, revision, type Token } from '../../discovery/types.ts';
import { unavailable } from '../refusals.ts';
import type { Cache } from './cache.ts';
import { Group, PATIENCE_MS, type Piece } from './client/call-batcher.ts';
import type { Connection } from './client/connection.ts';
import type { Fault } from './client/fault.ts';
import type { Health } from './client/health.ts';
import { advance, type ClusterRecord, type Folded, fold, type LogEntry } from './log/cluster-log.ts';
import { damaged } from './log/codec.ts';
import type { Keys } from './log/keys.ts';

/** Counts the calls that were begun, so that it can be told what was asked before what. */
export interface Clock {
  tick: number;
}

/** A token as etcd had it at a moment after its call was sent. */
export interface State {
  readonly record: ClusterRecord | undefined;
  readonly revision: Revision;
  /** When the call was sent. */
  readonly tick: number;
}

/** A range that was read. */
export interface Answer {
  readonly kvs: readonly IKeyValue[];
  readonly revision: Revision;
  readonly tick: number;
  readonly more: boolean;
  readonly count: number;
}

interface RangePiece extends Piece {
  /** As late as possible: what is known by then need not be read. */
  readonly request: () => IRangeRequest;
  readonly sent: () => void;
  readonly done: (answer: Answer) => void;
}

const BOUNDS = { calls: 4, pieces: 100, bytes: 512 * 1024 };

export interface ReaderParts {
  readonly connection: Connection;
  readonly keys: Keys;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly health: Health;
  /** Told how many reads or writes go in one call. */
  readonly onBatch?: (operation: 'read' | 'write', size: number) => void;
}

/** Linearizable reads. Those of the same moment share a call, and those of the same token one range. */
export class Reader {
  readonly #connection: Connection;
  readonly #keys: Keys;
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #group: Group<RangePiece>;
  /** Reads that wait for their call. */
  readonly #waiting = new Map<Token, Promise<State>>();

  constructor({ connection, keys, cache, clock, health, onBatch }: ReaderParts) {
    this.#connection = connection;
    this.#keys = keys;
    this.#cache = cache;
    this.#clock = clock;
    this.#group = new Group(BOUNDS, health, (pieces, limitMs) => {
      onBatch?.('read', pieces.length);
      return this.#send(pieces, limitMs);
    });
  }

  /** The token with every change that was acknowledged before the call. */
  read(token: Token): Promise<State> {
    const waiting = this.#waiting.get(token);
    if (waiting !== undefined) return waiting;
    const reading = this.#read(token);
    this.#waiting.set(token, reading);
    return reading;
  }

  async #read(token: Token): Promise<State> {
    let known: ClusterRecord | undefined;
    const answer = await this.range(
      () => {
        known = this.#cache.get(token);
        return this.#keys.log(token, known?.head);
      },
      () => this.#waiting.delete(token),
    );
    const record = known === undefined ? undefined : follow(known, logOf(this.#keys, answer.kvs));
    if (record !== undefined) return this.#found(token, record, answer);
    if (known === undefined) return this.#folded(token, answer);
    // It was forgotten, and perhaps made anew.
    return this.#folded(token, await this.range(() => this.#keys.log(token)));
  }

  #folded(token: Token, answer: Answer): State {
    const folded = fold(token, logOf(this.#keys, answer.kvs));
    if (folded !== undefined) return this.#found(token, folded.record, answer);
    this.#cache.delete(token);
    return { record: undefined, revision: answer.revision, tick: answer.tick };
  }

  #found(token: Token, record: ClusterRecord, { revision: at, tick }: Answer): State {
    this.#cache.put(token, record);
    return { record, revision: at, tick };
  }

  /** The whole log of a token. */
  async history(token: Token): Promise<{ folded: Folded | undefined; revision: Revision }> {
    const answer = await this.range(() => this.#keys.log(token));
    return { folded: fold(token, logOf(this.#keys, answer.kvs)), revision: answer.revision };
  }

  /** A linearizable range. Rejects with STORE_UNAVAILABLE. */
  range(request: () => IRangeRequest, sent: () => void = () => {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#group.add({
        bytes: 256,
        due: performance.now() + PATIENCE_MS,
        unsure: false,
        request,
        sent,
        done: resolve,
        fail: (fault: Fault) => {
          sent();
          reject(unavailable(fault.cause, fault.error));
        },
      });
    });
  }

  async #send(pieces: readonly RangePiece[], limitMs: number): Promise<void> {
    this.#clock.tick += 1;
    const { tick } = this.#clock;
    for (const piece of pieces) piece.sent();
    const requests = pieces.map((piece) => piece.request());
    const [only] = requests;
    if (requests.length === 1 && only !== undefined) {
      const answer = await this.#connection.range(only, limitMs);
      pieces[0]?.done(answerOf(answer, answer.header.revision, tick));
      return;
    }
    const success = requests.map((request) => ({ request_range: request }));
    const { header, responses } = await this.#connection.txn({ compare: [], success, failure: [] }, limitMs);
    for (const [i, piece] of pieces.entries()) {
      const answer = responses[i]?.response_range;
      if (answer !== undefined) piece.done(answerOf(answer, header.revision, tick));
    }
  }
}

function answerOf({ kvs, more, count }: IRangeResponse, at: string, tick: number): Answer {
  return { kvs, more, count: Number(count), revision: revision(BigInt(at)), tick };
}

/** The keys of logs among the keys of a range. */
export function logOf(keys: Keys, kvs: readonly IKeyValue[]): LogEntry[] {
  return kvs.map((kv) => {
    const key = keys.parseLog(kv.key);
    // It is not named, as it holds the token and this text is logged.
    if (key === undefined) throw damaged("a key among the token's changes is not of this service");
    return { number: key.number, value: kv.value, revision: revision(BigInt(kv.mod_revision)) };
  });
}

/** The record brought up to date by its log from its head on; undefined when that is no longer its log. */
export function follow(known: ClusterRecord, log: readonly LogEntry[]): ClusterRecord | undefined {
  const [head, ...newer] = log;
  if (head?.number !== known.head || head.revision !== known.cluster.modRevision) return undefined;
  return advance(known, newer);
}
