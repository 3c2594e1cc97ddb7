import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Member, type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { isCut } from '../etcd/cut.ts';
import { registeredBody } from './reply.ts';

/** Registrations kept for the nodes that wait with others for a token: as many as its cluster has members. */
export const REGISTRATIONS_KEPT = 1000;
/** Nodes served in one turn of the event loop: about 10 ms of work. */
const SERVED_AT_ONCE = 100;

/** One who waits for registrations of a token. */
export interface Reader {
  /** The revision up to which it has been told, or wants to be told nothing. */
  after: bigint;
  /** Whether it takes a registration now. */
  ready: boolean;
  /** Whether it counts the members, all of which it must have. */
  readonly countsMembers: boolean;
  wants(member: Member): boolean;
  take(body: string): void;
  /** What it has counted is no more: it reads the list again when its answer breaks off. */
  breakOff(): void;
  /** There will be no more: the token has ended, or the service stops, or the reader was too slow. */
  end(): void;
}

type Messages = AsyncIterator<WatchMembersResponse, unknown>;

interface Registration {
  readonly revision: bigint;
  readonly member: Member;
  readonly body: string;
}

/** A member that nodes may have counted has left or was changed. */
export const CUT = Symbol('cut');

interface Cut {
  readonly revision: bigint;
  readonly body: typeof CUT;
}

/**
 * The registrations of one token, as one watch of the service tells them to all who wait for them. Each is rendered
 * once, and one more who waits costs no more than a reader.
 */
export class Feed {
  /** Rejects as the service refuses the watch. */
  readonly begun: Promise<void>;
  readonly #token: string;
  readonly #onOver: (feed: Feed) => void;
  readonly #kept: Array<Registration | Cut> = [];
  readonly #readers = new Set<Reader>();
  readonly #abort = new AbortController();
  #after: bigint;
  #isOver = false;
  /** Why it ended, when the service has ended it. */
  #refusal: Error | undefined;

  /** Of what comes after a revision. `onOver`: nobody can join any more. */
  constructor(client: DiscoveryClient, token: string, after: bigint, onOver: (feed: Feed) => void) {
    this.#token = token;
    this.#after = after;
    this.#onOver = onOver;
    const watch = client.watchMembers({ token, afterRevision: after }, { signal: this.#abort.signal });
    this.begun = this.#begin(watch[Symbol.asyncIterator]());
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it has, or will have, everything after a revision. */
  covers(after: bigint): boolean {
    return after >= this.#after;
  }

  join(reader: Reader): void {
    this.#readers.add(reader);
  }

  /** Without readers it ends. */
  leave(reader: Reader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#close();
  }

  /** The next registration for a reader, of those that there are, or that it has to count again. */
  next(reader: Reader): string | typeof CUT | undefined {
    if (!this.covers(reader.after)) return undefined;
    const kept = this.#kept;
    let from = kept.length;
    // From the end, where nearly all of them are.
    while (from > 0 && (kept[from - 1] as Registration | Cut).revision > reader.after) from -= 1;
    for (const each of kept.slice(from)) {
      // Who has to count again gets nothing that came after.
      if (each.body !== CUT) {
        reader.after = each.revision;
        if (reader.wants(each.member)) return each.body;
      } else if (reader.countsMembers) return CUT;
    }
    return undefined;
  }

  /** Gives a reader what it takes of what there is. */
  serve(reader: Reader): void {
    while (reader.ready) {
      const body = this.next(reader);
      if (body === CUT) return reader.breakOff();
      if (body !== undefined) reader.take(body);
      else {
        if (this.#isOver || !this.covers(reader.after)) reader.end();
        return;
      }
    }
  }

  async #begin(messages: Messages): Promise<void> {
    try {
      const { value, done } = await messages.next();
      void this.#run(messages);
      const isBehind =
        done !== true && value.update.case === 'started' && value.update.value.revision > this.#after;
      // What is in the past arrives before the event loop turns, or the refusal if it is no longer held.
      if (isBehind) await nextTurn();
    } catch (thrown) {
      this.#close(thrown as Error);
    }
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  async #run(messages: Messages): Promise<void> {
    let refusal: Error | undefined;
    try {
      for (let told = 1; ; ) {
        const next = await messages.next();
        if (next.done === true) break;
        const { update } = next.value;
        const entry = update.case === 'event' ? this.#entryOf(update.value) : undefined;
        if (entry === undefined) continue;
        this.#keep(entry);
        await this.#serveAll();
        // A long past comes without a turn of the event loop, and who has it told takes nothing before the first one.
        if (told % REGISTRATIONS_KEPT === 0) await nextTurn();
        told += 1;
      }
    } catch (thrown) {
      // Whoever asks again is told.
      refusal = thrown as Error;
    }
    this.#close(refusal);
    await this.#serveAll();
  }

  #entryOf(event: MemberEvent): Registration | Cut | undefined {
    const { revision } = event;
    if (isCut(event)) return { revision, body: CUT };
    if (event.type !== MemberEventType.REGISTERED) return undefined;
    const member = requireMessage(event.member);
    return { revision, member, body: registeredBody(this.#token, member) };
  }

  #keep(entry: Registration | Cut): void {
    this.#kept.push(entry);
    if (this.#kept.length > REGISTRATIONS_KEPT)
      this.#after = (this.#kept.shift() as Registration | Cut).revision;
  }

  async #serveAll(): Promise<void> {
    let served = 0;
    for (const reader of this.#readers) {
      this.serve(reader);
      served += 1;
      if (served % SERVED_AT_ONCE === 0) await nextTurn();
    }
  }

  #close(refusal?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#refusal = refusal;
    this.#abort.abort(OVER);
    this.#onOver(this);
  }
}

/** One for all, as the error that an abort makes by itself takes longer than the wait. */
const OVER = 'nobody waits any more';

/** The feeds that can be joined, by token: of each the last one that was begun. */
export class Feeds {
  readonly #feeds = new Map<string, Feed>();

  /** Has the reader join a feed that has begun. Rejects as the service refuses the watch. */
  async join(client: DiscoveryClient, token: string, reader: Reader): Promise<Feed> {
    for (;;) {
      const open = this.#feeds.get(token);
      const feed = open?.covers(reader.after) ? open : this.#begin(client, token, reader.after);
      feed.join(reader);
      try {
        await feed.begun;
        return feed;
      } catch (refusal) {
        // What was asked for another one may be refused alone: a revision that is too old.
        if (feed !== open) throw refusal;
      }
    }
  }

  #begin(client: DiscoveryClient, token: string, after: bigint): Feed {
    const feed = new Feed(client, token, after, (ended) => {
      if (this.#feeds.get(token) === ended) this.#feeds.delete(token);
    });
    this.#feeds.set(token, feed);
    return feed;
  }
}
