import { randomBytes } from 'node:crypto';
import { apply, type Change } from '../../discovery/change.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import type { Decide, Written } from '../../discovery/store.ts';
import { type Revision, revision, type Token } from '../../discovery/types.ts';
import { STORE_LIMITS } from '../../limits.ts';
import { nothingDecided, refusalOf, unavailable } from '../refusals.ts';
import { Group, LAST_CALL_MS, PATIENCE_MS } from './client/call-batcher.ts';
import { CALL_MS } from './client/connection.ts';
import type { Fault } from './client/fault.ts';
import { type ClusterRecord, fold, made, next } from './log/cluster-log.ts';
import { changeOperation, makeOperation, type Operation } from './log/operations.ts';
import { follow, logOf, type Reader, type ReaderParts, type State } from './read.ts';
import type { TokenCount } from './token-count.ts';
import { bytesOf, type Outcome, sendWrites, WRITE_BOUNDS, type WritePiece } from './write-call.ts';

/** A write that waits for its turn, or for etcd. */
interface Job {
  readonly decide: Decide;
  /** When it was asked for. */
  readonly tick: number;
  readonly due: number;
  /** Whether another write has come before it each time that it was tried. */
  lost: boolean;
  resolve(written: Written): void;
  reject(error: DiscoveryError): void;
}

/** The writes of one token, decided one after the other. */
interface Lane {
  readonly token: Token;
  readonly jobs: Job[];
  /** What the last call for this token found. */
  state: State | undefined;
}

export interface WriterParts extends ReaderParts {
  readonly reader: Reader;
  readonly tokens: TokenCount;
  /** Told of each change that was committed. */
  readonly committed: (token: Token, at: Revision) => void;
}

/**
 * Writes on condition. Those of different tokens that come together go in one call; those of one token one after
 * the other, as each needs its own revision.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #group: Group<WritePiece>;
  readonly #lanes = new Map<Token, Lane>();
  readonly #process = randomBytes(6).toString('hex');
  #writes = 0;
  #waiting = 0;
  #idle: (() => void) | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#group = new Group(WRITE_BOUNDS, parts.health, (pieces, limitMs) => {
      const { clock, connection } = parts;
      parts.onBatch?.('write', pieces.length);
      clock.tick += 1;
      return sendWrites(connection, pieces, { tick: clock.tick, limitMs });
    });
  }

  write(token: Token, decide: Decide): Promise<Written> {
    if (this.#waiting >= STORE_LIMITS.etcdWaiting) {
      return Promise.reject(unavailable('nothing was changed, as too many writes wait for etcd; try again'));
    }
    this.#waiting += 1;
    return new Promise<Written>((resolve, reject) => {
      const { clock } = this.#parts;
      clock.tick += 1;
      const job: Job = {
        decide,
        tick: clock.tick,
        due: performance.now() + PATIENCE_MS,
        lost: false,
        resolve: (written) => {
          this.#left();
          resolve(written);
        },
        reject: (error) => {
          this.#left();
          reject(error);
        },
      };
      const lane = this.#lanes.get(token);
      if (lane !== undefined) {
        lane.jobs.push(job);
        return;
      }
      const opened: Lane = { token, jobs: [job], state: undefined };
      this.#lanes.set(token, opened);
      this.#step(opened);
    });
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    if (this.#waiting === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #left(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#idle?.();
  }

  /** Decides what waits in a lane until something has to be asked of etcd. */
  #step(lane: Lane): void {
    for (;;) {
      const [job] = lane.jobs;
      if (job === undefined) {
        this.#lanes.delete(lane.token);
        return;
      }
      const isFresh = lane.state !== undefined && lane.state.tick > job.tick;
      if (job.lost && isOverdue(job)) {
        finish(lane).reject(unavailable('nothing was changed, as others were faster each time; try again'));
      } else if (!this.#decide(lane, job, isFresh ? lane.state : undefined)) return;
    }
  }

  /**
   * Whether the job is done with. On a state from before the job was asked for, or guessed, only a change is
   * taken: its condition shows whether it was right. All else is decided on what etcd has now.
   */
  #decide(lane: Lane, job: Job, fresh: State | undefined): boolean {
    const record = fresh === undefined ? this.#parts.cache.get(lane.token) : fresh.record;
    let change: Change | undefined;
    try {
      change = job.decide(record?.cluster);
    } catch (error) {
      if (fresh === undefined) return this.#refresh(lane);
      finish(lane).reject(refusalOf(error).at(fresh.revision));
      return true;
    }
    if (change === undefined) {
      if (fresh === undefined) return this.#refresh(lane);
      const before = record?.cluster;
      finish(lane);
      if (before !== undefined) {
        job.resolve({ cluster: before, before, revision: fresh.revision, changed: false });
      } else job.reject(nothingDecided());
      return true;
    }
    if (change.type === 'CREATED') {
      const { tokens } = this.#parts;
      const room = tokens.room();
      if (room === 'FULL') {
        if (fresh === undefined) return this.#refresh(lane);
        finish(lane).reject(tokens.refusal(fresh.revision));
        return true;
      }
      if (room === 'WAIT') {
        tokens.onChange(() => this.#step(lane));
        return false;
      }
    }
    return this.#commit(lane, job, record, change);
  }

  #refresh(lane: Lane): false {
    void (async () => {
      try {
        lane.state = await this.#parts.reader.read(lane.token);
      } catch (error) {
        const refusal = refusalOf(error);
        const text = `nothing was changed: ${refusal.message}`;
        const told = new DiscoveryError(refusal.reason, text, refusal.facts);
        for (const job of lane.jobs.splice(0)) job.reject(told);
      }
      this.#step(lane);
    })();
    return false;
  }

  /** Sends the change of the first job. Returns whether the job is done with, as it cannot be sent. */
  #commit(lane: Lane, job: Job, record: ClusterRecord | undefined, change: Change): boolean {
    const { health, keys, tokens } = this.#parts;
    const before = record?.cluster;
    this.#writes += 1;
    const nonce = `${this.#process}-${this.#writes.toString(36)}`;
    let operation: Operation;
    try {
      // The revision is not known yet, and is not in what is written.
      const { cluster, event } = apply(before, change, revision(0));
      operation =
        record === undefined || event === undefined
          ? makeOperation(keys, cluster, nonce)
          : changeOperation(keys, record, cluster, event, nonce);
    } catch (error) {
      finish(lane).reject(refusalOf(error));
      return true;
    }
    const isMaking = change.type === 'CREATED';
    if (isMaking) tokens.make();
    const committed = (at: Revision, tick: number): void => {
      if (isMaking) {
        tokens.did(1, at);
        tokens.unmake();
      }
      const { cluster, event } = apply(before, change, at);
      const after =
        record === undefined || event === undefined ? made(cluster) : next(record, cluster, event);
      this.#parts.cache.put(lane.token, after);
      this.#parts.committed(lane.token, at);
      lane.state = { record: after, revision: at, tick };
      finish(lane).resolve({ cluster, before, revision: at, changed: true });
      this.#step(lane);
    };
    const piece: WritePiece = {
      operation,
      bytes: bytesOf(operation),
      // Those that had to wait for others of their token are still worth a call; a short one, when those had no answer.
      due: Math.max(job.due, performance.now() + (health.isDown ? LAST_CALL_MS : CALL_MS)),
      unsure: false,
      done: ({ succeeded, revision: at, kvs, tick }) => {
        if (succeeded) {
          committed(at, tick);
          return;
        }
        // An earlier call that had no answer may have been done after all.
        const own = piece.unsure ? kvs.find((kv) => kv.key.equals(operation.key)) : undefined;
        if (own?.value.includes(nonce) === true) {
          committed(revision(BigInt(own.mod_revision)), 0);
          return;
        }
        if (isMaking) tokens.unmake();
        job.lost = true;
        this.#lost(lane, record, piece, { succeeded, revision: at, kvs, tick });
      },
      fail: (fault) => {
        if (isMaking) tokens.unmake();
        lane.state = undefined;
        finish(lane).reject(notWritten(fault, piece.unsure));
        if (fault.passing)
          while (lane.jobs[0] !== undefined && isOverdue(lane.jobs[0]))
            finish(lane).reject(notWritten(fault, false));
        this.#step(lane);
      },
    };
    this.#group.add(piece);
    return false;
  }

  /** The token was not as it was decided on: decide again on what it is. */
  #lost(lane: Lane, record: ClusterRecord | undefined, piece: WritePiece, outcome: Outcome): void {
    const { cache, keys } = this.#parts;
    const { revision: at, kvs, tick } = outcome;
    try {
      const log = logOf(keys, kvs);
      const found = record === undefined ? fold(lane.token, log)?.record : follow(record, log);
      if (found !== undefined) {
        cache.put(lane.token, found);
        lane.state = { record: found, revision: at, tick };
      } else if (record === undefined) {
        finish(lane).reject(madeByHand(at));
      } else {
        cache.delete(lane.token);
        lane.state = undefined;
        if (piece.unsure)
          finish(lane).reject(
            unavailable('the write may have happened: etcd did not say, and the token has ended since'),
          );
        else {
          this.#refresh(lane);
          return;
        }
      }
    } catch (error) {
      finish(lane).reject(refusalOf(error));
    }
    this.#step(lane);
  }
}

function finish(lane: Lane): Job {
  return lane.jobs.shift() as Job;
}

function isOverdue(job: Job): boolean {
  return job.due < performance.now();
}

function notWritten({ cause, error }: Fault, unsure: boolean): DiscoveryError {
  return unsure
    ? unavailable(
        `the write may have happened or not: ${cause}; read the token, or send the same write again`,
        error,
      )
    : unavailable(`nothing was changed: ${cause}`, error);
}

function madeByHand(at: Revision): DiscoveryError {
  return new DiscoveryError(
    'TOKEN_EXISTS',
    'the token has a _config/size key in etcd that this service did not write; choose another token, or delete that key',
    { revision: at },
  );
}
