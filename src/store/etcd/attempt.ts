import { type Applied, apply, type Change } from '../../discovery/change.ts';
import { DiscoveryError } from '../../discovery/errors.ts';
import { type Revision, revision, type Token } from '../../discovery/types.ts';
import { storeRefusalOf, unavailable } from '../refusals.ts';
import { type ByteCount, entryBytes } from './byte-count.ts';
import { LAST_CALL_MS } from './client/call-batcher.ts';
import { CALL_MS } from './client/connection.ts';
import type { Fault } from './client/fault.ts';
import { finish, isOverdue, type Job, type Lane } from './lane.ts';
import { type ClusterRecord, fold, made, next } from './log/cluster-log.ts';
import { changeOperation, makeOperation, type Operation } from './log/operations.ts';
import { follow, logOf, type ReaderParts } from './read.ts';
import type { TokenCount } from './token-count.ts';
import { bytesOf, type WriteOutcome, type WritePiece } from './write-call.ts';

export interface AttemptParts extends ReaderParts {
  readonly tokens: TokenCount;
  readonly bytes: ByteCount;
  /** Called for each committed change. */
  readonly committed: (token: Token, at: Revision) => void;
  /** Continues with the waiting jobs of a lane. */
  readonly step: (lane: Lane) => void;
  /** Reads the token, then continues. */
  readonly refresh: (lane: Lane) => void;
}

/** The request to send for the first job of a lane. */
interface Proposal {
  readonly lane: Lane;
  readonly job: Job;
  /** The token on which the change was decided. */
  readonly record: ClusterRecord | undefined;
  readonly change: Change;
  readonly nonce: string;
}

/**
 * Attempt is one write in progress to etcd, and settles its job: it succeeds, loses to another write, or
 * fails.
 */
export class Attempt implements WritePiece {
  readonly operation: Operation;
  readonly bytes: number;
  readonly due: number;
  unsure = false;
  readonly #parts: AttemptParts;
  readonly #proposal: Proposal;
  readonly #entryBytes: number;

  constructor(parts: AttemptParts, proposal: Proposal) {
    this.#parts = parts;
    this.#proposal = proposal;
    this.operation = operationOf(parts, proposal);
    this.bytes = bytesOf(this.operation);
    this.#entryBytes = entryBytes(this.operation);
    // A job that had to wait for others of its token still gets a call; a short one if those got no response.
    const least = parts.health.isDown ? LAST_CALL_MS : CALL_MS;
    this.due = Math.max(proposal.job.due, performance.now() + least);
    if (proposal.change.type === 'CREATED') parts.tokens.make();
  }

  done(outcome: WriteOutcome): void {
    const { succeeded, revision: at, kvs, tick } = outcome;
    if (succeeded) return this.#succeed(at, tick);
    // An earlier call without a response may have succeeded.
    const own = this.unsure ? kvs.find((kv) => kv.key.equals(this.operation.key)) : undefined;
    if (own?.value.includes(this.#proposal.nonce) === true) {
      return this.#succeed(revision(BigInt(own.mod_revision)), 0);
    }
    this.#lose(outcome);
  }

  fail(fault: Fault): void {
    const { lane } = this.#proposal;
    this.#endMaking();
    lane.state = undefined;
    finish(lane).reject(this.unsure ? maybeWritten(fault) : notWritten(fault));
    if (fault.passing) {
      while (lane.jobs[0] !== undefined && isOverdue(lane.jobs[0])) finish(lane).reject(notWritten(fault));
    }
    this.#parts.step(lane);
  }

  #succeed(at: Revision, tick: number): void {
    const { lane, record, change } = this.#proposal;
    const { bytes, cache, committed, step, tokens } = this.#parts;
    if (change.type === 'CREATED') tokens.did(1, at);
    this.#endMaking();
    bytes.did(this.#entryBytes, at);
    const before = record?.cluster;
    const applied = apply(before, change, at);
    const after = recordAfter(record, applied);
    cache.put(lane.token, after);
    committed(lane.token, at);
    lane.state = { record: after, revision: at, tick };
    finish(lane).resolve({ cluster: applied.cluster, before, revision: at, changed: true });
    step(lane);
  }

  /** The token was not as the decision assumed: decides again on its current state. */
  #lose({ revision: at, kvs, tick }: WriteOutcome): void {
    const { lane, job, record } = this.#proposal;
    const { cache, keys, refresh, step } = this.#parts;
    this.#endMaking();
    job.lost = true;
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
        if (!this.unsure) return refresh(lane);
        finish(lane).reject(
          unavailable('the write may have happened: etcd did not confirm it, and the token has ended since'),
        );
      }
    } catch (error) {
      finish(lane).reject(storeRefusalOf(error));
    }
    step(lane);
  }

  #endMaking(): void {
    if (this.#proposal.change.type === 'CREATED') this.#parts.tokens.unmake();
  }
}

function operationOf({ keys }: AttemptParts, { record, change, nonce }: Proposal): Operation {
  // The revision is not known yet, and not part of what is written.
  const { cluster, event } = apply(record?.cluster, change, revision(0));
  return record === undefined || event === undefined
    ? makeOperation(keys, cluster, nonce)
    : changeOperation(keys, record, cluster, event, nonce);
}

function recordAfter(record: ClusterRecord | undefined, { cluster, event }: Applied): ClusterRecord {
  return record === undefined || event === undefined ? made(cluster) : next(record, cluster, event);
}

function notWritten({ cause, error }: Fault): DiscoveryError {
  return unavailable(`nothing was changed: ${cause}`, error);
}

function maybeWritten({ cause, error }: Fault): DiscoveryError {
  return unavailable(
    `the write may have happened: ${cause}; read the token, or send the same write again`,
    error,
  );
}

function madeByHand(at: Revision): DiscoveryError {
  return new DiscoveryError(
    'TOKEN_EXISTS',
    'the token has a _config/size key in etcd that this service did not write; choose another token, or delete that key',
    { revision: at },
  );
}
