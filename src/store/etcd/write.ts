import { randomBytes } from 'node:crypto';
import type { Change } from '../../discovery/change.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import type { Decide, Written } from '../../discovery/store.ts';
import type { Token } from '../../discovery/types.ts';
import { STORE_LIMITS } from '../../limits.ts';
import { type BytesBound, nothingDecided, refusedFor, storeRefusalOf, unavailable } from '../refusals.ts';
import { Attempt, type AttemptParts } from './attempt.ts';
import { Group, PATIENCE_MS } from './client/call-batcher.ts';
import { finish, isOverdue, type Job, type Lane } from './lane.ts';
import type { ClusterRecord } from './log/cluster-log.ts';
import type { EtcdReader, TokenState } from './read.ts';
import { sendWrites, WRITE_BOUNDS, type WritePiece } from './write-call.ts';

/** DONE: the next job can be decided. WAITS: the lane continues when the first job has a result. */
type Turn = 'DONE' | 'WAITS';

export interface WriterParts extends Omit<AttemptParts, 'step' | 'refresh'> {
  readonly reader: EtcdReader;
  readonly bound: BytesBound;
}

/**
 * Writer makes conditional writes. Concurrent writes to different tokens share a call. Writes to one token
 * run one after the other, because each needs its own revision.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #group: Group<WritePiece>;
  readonly #lanes = new Map<Token, Lane>();
  readonly #process = randomBytes(6).toString('hex');
  #writes = 0;
  #waiting = 0;
  #idle: (() => void) | undefined;
  readonly #attempts: AttemptParts;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#attempts = {
      ...parts,
      step: (lane) => this.#step(lane),
      refresh: (lane) => this.#refresh(lane),
    };
    this.#group = new Group(WRITE_BOUNDS, parts.health, (pieces, limitMs) => {
      const { clock, connection } = parts;
      parts.onBatch?.('write', pieces.length);
      clock.tick += 1;
      return sendWrites(connection, pieces, { tick: clock.tick, limitMs });
    });
  }

  write(token: Token, decide: Decide): Promise<Written> {
    if (this.#waiting >= STORE_LIMITS.etcdWaiting) {
      return Promise.reject(
        unavailable('nothing was changed: too many writes are waiting for etcd; try again'),
      );
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

  /** Resolves when no write is in progress. */
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

  /** Decides the waiting jobs of a lane until etcd has to be called. */
  #step(lane: Lane): void {
    for (;;) {
      const [job] = lane.jobs;
      if (job === undefined) {
        this.#lanes.delete(lane.token);
        return;
      }
      const isFresh = lane.state !== undefined && lane.state.tick > job.tick;
      if (job.lost && isOverdue(job)) {
        finish(lane).reject(
          unavailable('nothing was changed: too many concurrent writes to this token; try again'),
        );
      } else if (this.#decide(lane, job, isFresh ? lane.state : undefined) === 'WAITS') return;
    }
  }

  /**
   * Decides the first job. If the known state may be outdated or is a guess, only a change is accepted: its
   * condition verifies the state. Any other outcome is decided on the current state of etcd.
   */
  #decide(lane: Lane, job: Job, fresh: TokenState | undefined): Turn {
    const record = fresh === undefined ? this.#parts.cache.get(lane.token) : fresh.record;
    let change: Change | undefined;
    try {
      change = job.decide(record?.cluster);
    } catch (error) {
      if (fresh === undefined) return this.#readFirst(lane);
      finish(lane).reject(storeRefusalOf(error).at(fresh.revision));
      return 'DONE';
    }
    if (change === undefined) {
      if (fresh === undefined) return this.#readFirst(lane);
      const before = record?.cluster;
      finish(lane);
      if (before !== undefined) {
        job.resolve({ cluster: before, before, revision: fresh.revision, changed: false });
      } else job.reject(nothingDecided());
      return 'DONE';
    }
    const { bytes, bound } = this.#parts;
    const refused = refusedFor(change, bytes.count(), bound);
    if (refused !== undefined) {
      if (fresh === undefined) return this.#readFirst(lane);
      finish(lane).reject(refused.at(fresh.revision));
      return 'DONE';
    }
    if (change.type === 'CREATED') {
      const { tokens } = this.#parts;
      const room = tokens.room();
      if (room === 'FULL') {
        if (fresh === undefined) return this.#readFirst(lane);
        finish(lane).reject(tokens.refusal(fresh.revision));
        return 'DONE';
      }
      if (room === 'WAIT') {
        tokens.onChange(() => this.#step(lane));
        return 'WAITS';
      }
    }
    return this.#commit(lane, job, record, change);
  }

  #readFirst(lane: Lane): Turn {
    this.#refresh(lane);
    return 'WAITS';
  }

  #refresh(lane: Lane): void {
    void (async () => {
      try {
        lane.state = await this.#parts.reader.read(lane.token);
      } catch (error) {
        const refusal = storeRefusalOf(error);
        const text = `nothing was changed: ${refusal.message}`;
        const told = new DiscoveryError(refusal.reason, text, refusal.facts);
        for (const job of lane.jobs.splice(0)) job.reject(told);
      }
      this.#step(lane);
    })();
  }

  /** Sends the change of the first job. */
  #commit(lane: Lane, job: Job, record: ClusterRecord | undefined, change: Change): Turn {
    this.#writes += 1;
    const nonce = `${this.#process}-${this.#writes.toString(36)}`;
    try {
      this.#group.add(new Attempt(this.#attempts, { lane, job, record, change, nonce }));
      return 'WAITS';
    } catch (error) {
      finish(lane).reject(storeRefusalOf(error));
      return 'DONE';
    }
  }
}
