import type { IKeyValue, IRangeRequest, IRangeResponse } from 'etcd3';
import { type Revision, revision, type Token } from '../../discovery/types.ts';
import { unavailable } from '../refusals.ts';
import type { Cache } from './cache.ts';
import { Group, PATIENCE_MS, type Piece } from './client/call-batcher.ts';
import { CALL_MS, type EtcdConnection } from './client/connection.ts';
import type { Fault } from './client/fault.ts';
import type { Health } from './client/health.ts';
import { advance, type ClusterRecord, type Folded, fold, type LogEntry } from './log/cluster-log.ts';
import { damaged } from './log/codec.ts';
import type { KeyRange, Keys } from './log/keys.ts';
import { patiently } from './patiently.ts';
import { Slices } from './slices.ts';

/** CallCounter counts the calls, so that their order is known. */
export interface CallCounter {
  tick: number;
}

/** TokenState is a token as etcd had it at some moment after its call was sent. */
export interface TokenState {
  readonly record: ClusterRecord | undefined;
  readonly revision: Revision;
  /** The tick at which the call was sent. */
  readonly tick: number;
}

/** RangeResult is the result of a range read. */
export interface RangeResult {
  readonly kvs: readonly IKeyValue[];
  readonly revision: Revision;
  readonly tick: number;
  readonly more: boolean;
  readonly count: number;
}

interface RangePiece extends Piece {
  /** Called as late as possible, so that it can skip everything known by then. */
  readonly request: () => IRangeRequest;
  readonly sent: () => void;
  readonly done: (answer: RangeResult) => void;
}

/** Tokens whose keys etcd counts in a few milliseconds. */
const FEW_TOKENS = 10_000;
/** How long etcd may take to count keys, in ms: half a second for each million, and several where it is busy. */
const COUNT_MS = 30_000;

/** Page is the first keys of a span, and whether others may follow. */
export interface Page {
  readonly kvs: readonly IKeyValue[];
  readonly more: boolean;
}

/** Fence returns a key after this one at which a slice ends in any case, for a number of tokens. */
type Fence = (key: Buffer, tokens: number) => Buffer | undefined;

export interface PageOptions {
  readonly limit: number;
  readonly keysOnly?: boolean;
  readonly fence?: Fence;
}

const BOUNDS = { calls: 4, pieces: 100, bytes: 512 * 1024 };

export interface ReaderParts {
  readonly connection: EtcdConnection;
  readonly keys: Keys;
  readonly cache: Cache;
  readonly clock: CallCounter;
  readonly health: Health;
  /** Called with the number of reads or writes in one call. */
  readonly onBatch?: (operation: 'read' | 'write', size: number) => void;
}

/**
 * EtcdReader makes linearizable reads. Reads at the same time share a call, and reads of the same token one
 * range.
 */
export class EtcdReader {
  readonly #connection: EtcdConnection;
  readonly #keys: Keys;
  readonly #cache: Cache;
  readonly #clock: CallCounter;
  readonly #tokens: () => number;
  readonly #group: Group<RangePiece>;
  /** Reads that wait for their call. */
  readonly #waiting = new Map<Token, Promise<TokenState>>();

  /** `tokens` returns how many tokens there are. */
  constructor(
    { connection, keys, cache, clock, health, onBatch }: ReaderParts,
    tokens: () => number = () => 0,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#cache = cache;
    this.#clock = clock;
    this.#tokens = tokens;
    this.#group = new Group(BOUNDS, health, (pieces, limitMs) => {
      onBatch?.('read', pieces.length);
      return this.#send(pieces, limitMs);
    });
  }

  /** Returns the token with every change that was acknowledged before the call. */
  read(token: Token): Promise<TokenState> {
    const waiting = this.#waiting.get(token);
    if (waiting !== undefined) return waiting;
    const reading = this.#read(token);
    this.#waiting.set(token, reading);
    return reading;
  }

  async #read(token: Token): Promise<TokenState> {
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
    // The token was forgotten, and perhaps created again.
    return this.#folded(token, await this.range(() => this.#keys.log(token)));
  }

  #folded(token: Token, answer: RangeResult): TokenState {
    const folded = fold(token, logOf(this.#keys, answer.kvs));
    if (folded !== undefined) return this.#found(token, folded.record, answer);
    this.#cache.delete(token);
    return { record: undefined, revision: answer.revision, tick: answer.tick };
  }

  #found(token: Token, record: ClusterRecord, { revision: at, tick }: RangeResult): TokenState {
    this.#cache.put(token, record);
    return { record, revision: at, tick };
  }

  /** Returns the complete log of a token. */
  async history(token: Token): Promise<{ folded: Folded | undefined; revision: Revision }> {
    const answer = await this.range(() => this.#keys.log(token));
    return { folded: fold(token, logOf(this.#keys, answer.kvs)), revision: answer.revision };
  }

  /** Reads a range linearizably. Rejects with STORE_UNAVAILABLE. */
  range(request: () => IRangeRequest, sent: () => void = () => {}): Promise<RangeResult> {
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

  /** Reads the first keys of a span of which there may be millions. */
  async page(span: KeyRange, { limit, keysOnly = false, fence }: PageOptions): Promise<Page> {
    const slices = this.slices(span, { request: { keys_only: keysOnly }, fence });
    const kvs: IKeyValue[] = [];
    while (slices.more && kvs.length < limit) kvs.push(...(await slices.next(limit - kvs.length)));
    return { kvs, more: slices.more };
  }

  /** Reads a span to its end, slice by slice. */
  slices(
    span: KeyRange,
    { request, fence }: { readonly request: IRangeRequest; readonly fence?: Fence | undefined },
  ): Slices {
    const tokens = this.#tokens();
    return new Slices(span, {
      request,
      isWhole: tokens <= FEW_TOKENS,
      fence: (key) => fence?.(key, tokens),
      read: (slice) => this.range(() => slice),
    });
  }

  /** Counts the keys of spans at one revision. */
  async count(...spans: readonly KeyRange[]): Promise<{ counts: readonly number[]; revision: Revision }> {
    const success = spans.map((span) => ({ request_range: { ...span, count_only: true } }));
    // The first attempt is short, because its endpoint may be cut off and another may answer.
    const { header, responses } = await patiently(
      (failures) =>
        this.#connection.txn({ compare: [], success, failure: [] }, failures === 0 ? CALL_MS : COUNT_MS),
      COUNT_MS,
    );
    const counts = responses.map(({ response_range }) => Number(response_range.count));
    return { counts, revision: revision(BigInt(header.revision)) };
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

function answerOf({ kvs, more, count }: IRangeResponse, at: string, tick: number): RangeResult {
  return { kvs, more, count: Number(count), revision: revision(BigInt(at)), tick };
}

/** Returns the log keys among the keys of a range. */
export function logOf(keys: Keys, kvs: readonly IKeyValue[]): LogEntry[] {
  return kvs.map((kv) => {
    const key = keys.parseLog(kv.key);
    // The key is not named, because it contains the token and this text is logged.
    if (key === undefined) throw damaged("a key among the token's changes was not written by this service");
    return { number: key.number, value: kv.value, revision: revision(BigInt(kv.mod_revision)) };
  });
}

/** Updates a record with its log from its head on. Undefined if that is no longer its log. */
export function follow(known: ClusterRecord, log: readonly LogEntry[]): ClusterRecord | undefined {
  const [head, ...newer] = log;
  if (head?.number !== known.head || head.revision !== known.cluster.modRevision) return undefined;
  return advance(known, newer);
}
