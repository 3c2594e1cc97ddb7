import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Member, type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { takesFromNodes } from '../etcd/cut.ts';
import { CUT, type Cut, Kept, type Registration, type SharedRoom } from './kept.ts';
import { registeredBody } from './reply.ts';

/** Nodes served in one turn of the event loop: about 10 ms of work. */
const SERVED_AT_ONCE = 100;
/** How long the past of a token is waited for: as long as a store takes to read it, or to say that it cannot. */
const PAST_MS = 5000;

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

/**
 * The registrations of one token, as one watch of the service tells them to all who wait for them. Each is rendered
 * once, and one more who waits costs no more than a reader.
 */
export class Feed {
  /** Rejects as the service refuses the watch. */
  readonly begun: Promise<void>;
  readonly #token: string;
  readonly #onOver: (feed: Feed) => void;
  readonly #kept: Kept;
  readonly #readers = new Set<Reader>();
  readonly #abort = new AbortController();
  #isOver = false;
  /** Why it ended, when the service has ended it. */
  #refusal: Error | undefined;

  /** Of what comes after a revision, some of which has come if it has a past. `onOver`: nobody can join any more. */
  constructor(
    client: DiscoveryClient,
    {
      token,
      after,
      hasPast,
      shared,
    }: {
      readonly token: string;
      readonly after: bigint;
      readonly hasPast: boolean;
      readonly shared: SharedRoom;
    },
    onOver: (feed: Feed) => void,
  ) {
    this.#token = token;
    this.#kept = new Kept(after, shared);
    this.#onOver = onOver;
    const watch = client.watchMembers({ token, afterRevision: after }, { signal: this.#abort.signal });
    this.begun = this.#begin(watch[Symbol.asyncIterator](), hasPast);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it has, or will have, everything after a revision. */
  covers(after: bigint): boolean {
    return after >= this.#kept.after;
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
    for (const each of this.#kept.since(reader.after)) {
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

  async #begin(messages: Messages, hasPast: boolean): Promise<void> {
    try {
      await messages.next();
      const first = messages.next();
      void this.#run(messages, first);
      // With a past something comes that is in it, or the refusal if it is no longer held.
      if (hasPast) await arrival(first);
    } catch (thrown) {
      this.#close(thrown as Error);
    }
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  async #run(messages: Messages, first: ReturnType<Messages['next']>): Promise<void> {
    let refusal: Error | undefined;
    try {
      for (let next = await first; next.done !== true; next = await messages.next()) {
        const { update } = next.value;
        const entry = update.case === 'event' ? this.#entryOf(update.value) : undefined;
        if (entry === undefined) continue;
        // A long past comes without a turn of the event loop, and who has it told takes nothing before the first one.
        if (this.#kept.isFullWith(entry)) await nextTurn();
        this.#kept.add(entry);
        await this.#serveAll();
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
    if (takesFromNodes(event)) return { revision, body: CUT };
    if (event.type !== MemberEventType.REGISTERED) return undefined;
    const member = requireMessage(event.member);
    const action = event.wouldReplace ? 'set' : 'create';
    return { revision, member, body: registeredBody(this.#token, member, action) };
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
    this.#kept.leave();
    this.#abort.abort(OVER);
    this.#onOver(this);
  }
}

/** Resolves when a message is there, and those that came with it; after a while without. */
async function arrival(message: Promise<unknown>): Promise<void> {
  const waiting = new AbortController();
  const tooLong = sleep(PAST_MS, undefined, { signal: waiting.signal, ref: false });
  await Promise.allSettled([Promise.race([message, tooLong])]);
  waiting.abort();
  await nextTurn();
}

/** One for all, as the error that an abort makes by itself takes longer than the wait. */
const OVER = 'nobody waits any more';

/**
 * The feeds that can be joined, by token: of each the last one that was begun. Whoever joins has shown what opens the
 * token, and all of them are told the same: a feed is of a token, whatever secret stands behind it.
 */
export class Feeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #shared: SharedRoom = { bytes: 0 };

  /** Has the reader join a feed that has begun, with what has come of its past. Rejects as the service refuses the watch. */
  async join(client: DiscoveryClient, token: string, reader: Reader, hasPast: boolean): Promise<Feed> {
    for (;;) {
      const open = this.#feeds.get(bare(token));
      const feed = open?.covers(reader.after) ? open : this.#begin(client, token, reader.after, hasPast);
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

  #begin(client: DiscoveryClient, token: string, after: bigint, hasPast: boolean): Feed {
    const name = bare(token);
    const feed = new Feed(client, { token, after, hasPast, shared: this.#shared }, (ended) => {
      if (this.#feeds.get(name) === ended) this.#feeds.delete(name);
    });
    this.#feeds.set(name, feed);
    return feed;
  }
}

/** A token without the secret behind it. */
function bare(token: string): string {
  return token.split(':', 1)[0] as string;
}
