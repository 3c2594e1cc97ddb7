import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from 'etcd3';
import { type Revision, revision } from '../../discovery/types.ts';
import type { EtcdConnection } from './client/connection.ts';
import { leaveStream } from './client/etcd3.ts';
import { faultOf } from './client/fault.ts';
import type { Health } from './client/health.ts';
import type { KeyRange } from './log/keys.ts';

/** etcd confirms the creation of a watch at once; if the stream stays silent for this many ms, it is lost. */
const CREATED_MS = 5000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Consecutive failures that make an outage, rather than the loss of one endpoint. */
const FAILURES_OF_AN_OUTAGE = 5;
/** A watch that lasted this long has worked, even without events. */
const WORKED_MS = 1000;

export interface WatchParts {
  readonly connection: Pick<EtcdConnection, 'watch' | 'failed' | 'forgetToken' | 'ofOneCluster'>;
  readonly span: KeyRange;
  readonly health: Pick<Health, 'failed' | 'works'>;
  /** Called with changes that were not reported before, and the revision up to which they are complete. */
  readonly told: (events: readonly IEvent[], at: Revision) => void;
  /**
   * Called when some changes are no longer available. Catches up by reading, and returns the revision of the
   * read.
   */
  readonly missed: () => Promise<Revision>;
}

type Stream = IDuplexStream<IWatchRequest, IWatchResponse>;
type Ending = 'COMPACTED' | 'TOO_LARGE' | 'REJECTED' | 'BROKEN' | 'CLOSED';

/**
 * WatchLoop is one watch on etcd for the whole process. When its stream ends, for any reason, it resumes
 * after the last reported change, so each change is reported once and in order.
 *
 * etcd3's own watcher is not used: it advances its start past changes that it has not delivered yet, and a
 * single rejected or compacted watch stops it silently.
 */
export class WatchLoop {
  readonly #parts: WatchParts;
  /** The revision up to which every change was reported. */
  #revision: Revision;
  #failures = 0;
  #closed = false;
  #cancel: (() => void) | undefined;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(parts: WatchParts, after: Revision) {
    this.#parts = parts;
    this.#revision = after;
    this.#running = this.#run();
  }

  get revision(): Revision {
    return this.#revision;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        const ending = await this.#session();
        if (ending === 'COMPACTED' || ending === 'TOO_LARGE') {
          const caughtUp = await this.#catchUp();
          if (caughtUp === undefined) return;
          this.#revision = caughtUp;
        } else if (ending === 'REJECTED') {
          // A login that etcd has forgotten is noticed only by a rejection.
          this.#parts.connection.forgetToken();
          this.#failed('etcd rejects the watch; check that the etcd user can read the keys of this service');
        } else if (ending === 'CLOSED') return;
        else this.#failed('etcd keeps closing the watch');
      } catch (error) {
        this.#failed(faultOf(this.#parts.connection.failed(error)).cause);
      }
      await this.#pause();
    }
  }

  /** Undefined if the watch is closed meanwhile: etcd may take long. */
  async #catchUp(): Promise<Revision | undefined> {
    const closed = new Promise<undefined>((resolve) => {
      this.#cancel = () => resolve(undefined);
      if (this.#closed) resolve(undefined);
    });
    return Promise.race([this.#parts.missed(), closed]);
  }

  #failed(cause: string): void {
    if (this.#failures >= FAILURES_OF_AN_OUTAGE && !this.#closed) this.#parts.health.failed(cause);
  }

  async #pause(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // With jitter, so that replicas that lost the same member do not all return at the same time.
    const jittered = ms * (0.5 + Math.random() / 2);
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, jittered);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  async #session(): Promise<Ending> {
    const stream = await this.#parts.connection.watch();
    let timer: NodeJS.Timeout | undefined;
    let createdAt = Number.POSITIVE_INFINITY;
    let ending: Ending = 'BROKEN';
    try {
      ending = await new Promise<Ending>((resolve, reject) => {
        stream.on('error', (error) => {
          // More was missed than a response may hold, and every retry would miss as much.
          if (faultOf(error).ofRequest === true) resolve('TOO_LARGE');
          else reject(error);
        });
        stream.on('end', () => resolve('BROKEN'));
        // Responses may arrive in the same turn, before the end can cancel the stream.
        let isOver = false;
        stream.on('data', (response) => {
          if (isOver) return;
          try {
            if (response.created && !response.canceled) {
              this.#parts.connection.ofOneCluster(response);
              clearTimeout(timer);
              createdAt = performance.now();
              this.#created();
            }
            const end = this.#receive(response);
            if (end === undefined) return;
            resolve(end);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
          isOver = true;
        });
        this.#cancel = () => resolve('CLOSED');
        if (this.#closed) resolve('CLOSED');
        timer = setTimeout(resolve, CREATED_MS, 'BROKEN');
        stream.write({
          create_request: {
            ...this.#parts.span,
            start_revision: String(this.#revision + 1n),
            progress_notify: true,
            // The size of deleted values is needed.
            prev_kv: true,
          },
        });
      });
      return ending;
    } finally {
      clearTimeout(timer);
      this.#cancel = undefined;
      if (performance.now() - createdAt > WORKED_MS) this.#failures = 0;
      end(stream, ending);
    }
  }

  #created(): void {
    if (this.#failures > 0) this.#parts.health.works();
  }

  #receive(response: IWatchResponse): Ending | undefined {
    const { events, canceled, created, compact_revision: compacted, header } = response;
    if (canceled) return compacted === '0' ? 'REJECTED' : 'COMPACTED';
    const last = events.at(-1);
    if (last !== undefined) {
      // Not the header's revision: while catching up it is ahead of what was delivered.
      const at = revision(BigInt(last.kv.mod_revision));
      const fresh = events.filter((event) => BigInt(event.kv.mod_revision) > this.#revision);
      this.#revision = at > this.#revision ? at : this.#revision;
      this.#failures = 0;
      if (fresh.length > 0) this.#parts.told(fresh, this.#revision);
    } else if (!created) {
      // Progress: everything is delivered up to the header's revision.
      const at = revision(BigInt(header.revision));
      if (at > this.#revision) this.#parts.told([], at);
      this.#revision = at > this.#revision ? at : this.#revision;
      this.#failures = 0;
    }
    return undefined;
  }
}

/** Whatever the stream still sends is ignored. */
function end(stream: Stream, ending: Ending): void {
  stream.on('error', () => {});
  if (ending === 'BROKEN') stream.cancel();
  else leaveStream(stream);
}
