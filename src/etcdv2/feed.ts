import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Member, type MemberEvent, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { takesFromNodes } from '../etcd/cut.ts';
import { CUT, type Cut, Kept, type KeptRegistration, type SharedRoom } from './kept.ts';
import { registeredBody } from './reply.ts';

/** Nodes served in one turn of the event loop: about 10 ms of work. */
const SERVED_AT_ONCE = 100;
/** How long to wait for the past of a token, in ms: the time in which a store reads it or fails. */
const PAST_MS = 5000;

/** FeedReader is a client that waits for registrations under a token. */
export interface FeedReader {
  /** The revision up to which the reader has, or does not want, the registrations. */
  after: bigint;
  /** Whether the reader accepts a registration now. */
  ready: boolean;
  /** Whether the reader counts the members and must therefore receive all of them. */
  readonly countsMembers: boolean;
  wants(member: Member): boolean;
  take(body: string): void;
  /** Called when its count is invalid: its response breaks off, and the client reads the list again. */
  breakOff(): void;
  /**
   * Called when nothing more will come: the token has ended, the service is stopping, or the reader was too
   * slow.
   */
  end(): void;
}

type Messages = AsyncIterator<WatchMembersResponse, unknown>;

/**
 * Feed distributes the registrations of one token, from one watch of the service, to all clients that wait
 * for them. Each registration is rendered once, and another waiting client costs only a reader.
 */
export class Feed {
  /** Rejects if the service rejects the watch. */
  readonly begun: Promise<void>;
  readonly #token: string;
  readonly #onOver: (feed: Feed) => void;
  readonly #kept: Kept;
  readonly #readers = new Set<FeedReader>();
  readonly #abort = new AbortController();
  #isOver = false;
  /** Why the service ended the feed, if it did. */
  #refusal: Error | undefined;

  /**
   * Starts a feed of the registrations after a revision. `hasPast`: some of them exist already. `onOver` is
   * called when the feed can no longer be joined.
   */
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

  /** Whether the feed has, or will have, everything after a revision. */
  covers(after: bigint): boolean {
    return after >= this.#kept.after;
  }

  join(reader: FeedReader): void {
    this.#readers.add(reader);
  }

  /** Removes a reader. The feed ends when none are left. */
  leave(reader: FeedReader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#close();
  }

  /** Returns the next available registration for a reader, or CUT if it has to count again. */
  next(reader: FeedReader): string | typeof CUT | undefined {
    if (!this.covers(reader.after)) return undefined;
    for (const each of this.#kept.since(reader.after)) {
      // A reader that must count again gets nothing after the cut.
      if (each.body !== CUT) {
        reader.after = each.revision;
        if (reader.wants(each.member)) return each.body;
      } else if (reader.countsMembers) return CUT;
    }
    return undefined;
  }

  /** Delivers to a reader what it accepts of what is available. */
  serve(reader: FeedReader): void {
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
      // With a past, a message from it arrives, or an error if it is no longer stored.
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
        // A long past arrives without a turn of the event loop in between, and a new reader takes nothing
        // before its first one.
        if (this.#kept.isFullWith(entry)) await nextTurn();
        this.#kept.add(entry);
        await this.#serveAll();
      }
    } catch (thrown) {
      // A client that asks again receives the error.
      refusal = thrown as Error;
    }
    this.#close(refusal);
    await this.#serveAll();
  }

  #entryOf(event: MemberEvent): KeptRegistration | Cut | undefined {
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

/** Resolves when a message and those that came with it have arrived, or after a timeout. */
async function arrival(message: Promise<unknown>): Promise<void> {
  const waiting = new AbortController();
  const tooLong = sleep(PAST_MS, undefined, { signal: waiting.signal, ref: false });
  await Promise.allSettled([Promise.race([message, tooLong])]);
  waiting.abort();
  await nextTurn();
}

/** Shared, because creating the default error of an abort takes longer than the wait. */
const OVER = 'nobody waits any more';

/**
 * Feeds holds the feeds that can be joined: for each token the one started last. Readers have already proved
 * their access to the token, and all receive the same, so a feed belongs to the token without its secret.
 */
export class Feeds {
  readonly #feeds = new Map<string, Feed>();
  readonly #shared: SharedRoom = { bytes: 0 };

  /**
   * Adds the reader to a running feed, or starts one, with its past. Rejects if the service rejects the
   * watch.
   */
  async join(client: DiscoveryClient, token: string, reader: FeedReader, hasPast: boolean): Promise<Feed> {
    for (;;) {
      const open = this.#feeds.get(bare(token));
      const feed = open?.covers(reader.after) ? open : this.#begin(client, token, reader.after, hasPast);
      feed.join(reader);
      try {
        await feed.begun;
        return feed;
      } catch (refusal) {
        // An error for another reader's request may not apply to this one, such as a revision that is too
        // old.
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

/** Returns a token without its secret. */
function bare(token: string): string {
  return token.split(':', 1)[0] as string;
}
