import type { Millis, Token } from './types.ts';

/** Watchers woken in one turn of the event loop: about 10 ms of work. */
const RINGS_AT_ONCE = 100;
/**
 * How long watchers wait before they read from a store that failed. Short compared with an election of etcd.
 */
const STORE_RETRY_MS = 1000;
/** The longest single timer: 20 days. Timers are limited to 2^31 - 1 ms, so longer waits use several. */
const TIMER_MS = 20 * 24 * 60 * 60 * 1000;

/**
 * Bell wakes one watcher. Rings before the watcher looks are merged, because it reads from its own cursor.
 */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake === undefined) this.#rung = true;
    else wake();
  }

  /** Resolves at the next ring, or immediately if the bell rang since the last one that ended a wait. */
  wait(): Promise<void> {
    if (!this.#rung) {
      return new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#rung = false;
    return Promise.resolve();
  }
}

interface Topic {
  readonly bells: Set<Bell>;
  /** Rings when the token expires. All watchers of the token share it. */
  timer: NodeJS.Timeout | undefined;
  /** When the timer rings, except for very long waits. Reopening the token changes it. */
  expireTime?: Millis;
}

/** Topics maps tokens to their watchers. A token without watchers has no entry. */
export class Topics {
  readonly #topics = new Map<Token, Topic>();
  /** Tokens whose watchers ring after a delay, all with one timer. */
  readonly #later = new Set<Token>();

  /** Returns the number of watchers. */
  count(): number {
    let count = 0;
    for (const { bells } of this.#topics.values()) count += bells.size;
    return count;
  }

  add(token: Token, bell: Bell): void {
    const topic = this.#topics.get(token);
    if (topic === undefined) this.#topics.set(token, { bells: new Set([bell]), timer: undefined });
    else topic.bells.add(bell);
  }

  remove(token: Token, bell: Bell): void {
    const topic = this.#topics.get(token);
    if (!topic?.bells.delete(bell) || topic.bells.size > 0) return;
    clearTimeout(topic.timer);
    this.#topics.delete(token);
  }

  /** Rings every watcher of the token at its expire time. */
  expireAt(token: Token, expireTime: Millis, now: Millis): void {
    const topic = this.#topics.get(token);
    if (topic === undefined || (topic.timer !== undefined && topic.expireTime === expireTime)) return;
    clearTimeout(topic.timer);
    topic.expireTime = expireTime;
    const wait = Math.min(Math.max(expireTime - now, 0), TIMER_MS);
    topic.timer = setTimeout(() => {
      topic.timer = undefined;
      ringAll(topic.bells);
    }, wait).unref();
  }

  /** Rings every watcher of the token after a delay: the store failed and may have recovered by then. */
  ringLater(token: Token): void {
    const isUnderWay = this.#later.size > 0;
    this.#later.add(token);
    if (isUnderWay) return;
    setTimeout(() => {
      const tokens = [...this.#later];
      this.#later.clear();
      for (const each of tokens) this.ring(each);
    }, STORE_RETRY_MS).unref();
  }

  /** Rings the watchers of one token, or all watchers if the token is undefined. */
  ring(token: Token | undefined): void {
    const topics = token === undefined ? this.#topics.values() : [this.#topics.get(token)];
    for (const topic of topics) if (topic !== undefined) ringAll(topic.bells);
  }
}

/**
 * Rings in slices with a turn of the event loop between them. Otherwise thousands of watchers of one token
 * would all do their work before any response is sent.
 */
function ringAll(bells: ReadonlySet<Bell>): void {
  if (bells.size <= RINGS_AT_ONCE) for (const bell of bells) bell.ring();
  else ringSlices([...bells], 0);
}

function ringSlices(bells: readonly Bell[], from: number): void {
  const to = from + RINGS_AT_ONCE;
  for (const bell of bells.slice(from, to)) bell.ring();
  if (to < bells.length) setImmediate(ringSlices, bells, to);
}
