import type { IDuplexStream, IEvent, IWatchRequest, IWatchResponse } from 'etcd3';
import { type Revision, revision } from '../../discovery/types.ts';
import type { Connection } from './client/connection.ts';
import { leaveStream } from './client/etcd3.ts';
import { faultOf } from './client/fault.ts';
import type { Health } from './client/health.ts';
import type { Span } from './log/keys.ts';

/** etcd answers the creation of a watch at once; in a stream that stays silent it is lost. */
const CREATED_MS = 5000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Failures in a row before it is an outage, and not one endpoint that went. */
const FAILURES_OF_AN_OUTAGE = 5;
/** A watch that held for so long has worked, although there was nothing to tell. */
const WORKED_MS = 1000;

export interface WatchParts {
  readonly connection: Pick<Connection, 'watch' | 'failed' | 'forgetToken' | 'ofOneCluster'>;
  readonly span: Span;
  readonly health: Pick<Health, 'failed' | 'works'>;
  /** Changes that were not told before, by revision. */
  readonly told: (events: readonly IEvent[], at: Revision) => void;
  /** Some changes are no longer to be had. Catches up by reading, and returns the revision it read at. */
  readonly missed: () => Promise<Revision>;
}

type Stream = IDuplexStream<IWatchRequest, IWatchResponse>;
type Ending = 'COMPACTED' | 'TOO_LARGE' | 'REJECTED' | 'BROKEN' | 'CLOSED';

/**
 * One watch on etcd for the whole process. However its stream ends it begins again after the last change that
 * it told, so each is told once and in order.
 *
 * etcd3's own watcher is not used: it moves its start past changes that it has not delivered yet, and one
 * rejected or compacted watch stops it without a word.
 */
export class WatchLoop {
  readonly #parts: WatchParts;
  /** Every change up to here was told. */
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
        if (ending === 'COMPACTED' || ending === 'TOO_LARGE') this.#revision = await this.#parts.missed();
        else if (ending === 'REJECTED') {
          // A log-in that etcd has forgotten is told by a rejection only.
          this.#parts.connection.forgetToken();
          this.#failed('etcd rejects the watch; see that the user may read the keys of this service');
        } else if (ending === 'CLOSED') return;
        else this.#failed('etcd ends the watch each time');
      } catch (error) {
        this.#failed(faultOf(this.#parts.connection.failed(error)).cause);
      }
      await this.#pause();
    }
  }

  #failed(cause: string): void {
    if (this.#failures >= FAILURES_OF_AN_OUTAGE && !this.#closed) this.#parts.health.failed(cause);
  }

  async #pause(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // Replicas that lost the same member must not all come back at the same time.
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
          // More was missed than an answer may hold, and would be at each try.
          if (faultOf(error).ofRequest === true) resolve('TOO_LARGE');
          else reject(error);
        });
        stream.on('end', () => resolve('BROKEN'));
        // Responses may come in the same turn, before whoever waits for the end can cancel.
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
            // Of what is deleted one has to know how large it was.
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
      // Not the header's: in the middle of catching up that is ahead of what was delivered.
      const at = revision(BigInt(last.kv.mod_revision));
      const fresh = events.filter((event) => BigInt(event.kv.mod_revision) > this.#revision);
      this.#revision = at > this.#revision ? at : this.#revision;
      this.#failures = 0;
      if (fresh.length > 0) this.#parts.told(fresh, this.#revision);
    } else if (!created) {
      // Progress: all is delivered up to the header's revision.
      const at = revision(BigInt(header.revision));
      if (at > this.#revision) this.#parts.told([], at);
      this.#revision = at > this.#revision ? at : this.#revision;
      this.#failures = 0;
    }
    return undefined;
  }
}

/** Whatever the stream still says is of no interest. */
function end(stream: Stream, ending: Ending): void {
  stream.on('error', () => {});
  if (ending === 'BROKEN') stream.cancel();
  else leaveStream(stream);
}
