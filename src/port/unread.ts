import type { Answer } from './answer.ts';

/** Bytes written since the last look that trigger the next one: the known total may be too low by as much. */
const LOOK_BYTES = 1024 * 1024;
/** Interval in ms between looks while requests wait for others to read. */
export const LOOK_MS = 100;
/**
 * Time in ms for a response to be read while others wait: one second for a line with a fair share of the
 * capacity.
 */
const PATIENCE_MS = 1000;
/**
 * Bytes of a response that was cut off are held for one more turn. Beyond this multiple of the limit, writing
 * stops at once.
 */
const OVER = 1.25;

export interface UnreadLimits {
  /** Bytes of all responses, of one client and of one connection. */
  readonly unread: number;
  readonly clientUnread: number;
  /** Up to this many bytes of its own a client never waits. */
  readonly connectionUnread: number;
}

/** OnCut is called for each response that is cut off. `byClient`: because of the limit of one client. */
export type OnCut = (answer: Answer, byClient: boolean) => void;

/**
 * Unread counts the bytes of responses that their readers have not taken, and keeps them within limits. Above
 * half of a limit, clients with unread bytes must read them before they get more; if requests wait for that,
 * within a second. Above the limit, the slowest reader is cut off at once.
 */
export class Unread {
  readonly #limits: UnreadLimits;
  readonly #onCut: OnCut;
  readonly #now: () => number;
  /** The responses that may have unread bytes. */
  readonly #answers = new Set<Answer>();
  /** The bytes at the last look, by client where it matters, and those written since. */
  #held = 0;
  #heldBy: ReadonlyMap<string | undefined, readonly Answer[]> = new Map();
  #written = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Whose requests have been waiting since the last look. */
  readonly #awaited = { all: false, clients: new Set<string>() };

  constructor(limits: UnreadLimits, onCut: OnCut, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#onCut = onCut;
    this.#now = now;
  }

  /** Whether bytes of a response may be written now. Cuts off slow readers to make room. */
  mayWrite(answer: Answer, bytes: number): boolean {
    if (answer.isCut) return false;
    this.#answers.add(answer);
    this.#written += bytes;
    if (this.#written >= LOOK_BYTES) this.#look(answer, bytes);
    return !answer.isCut;
  }

  /** Whether all responses together may hold more than so many bytes. */
  mayHold(bytes: number): boolean {
    return this.#held + this.#written > bytes;
  }

  forget(answer: Answer): void {
    this.#answers.delete(answer);
  }

  /** Whether a request must wait until its client has read more of its responses. */
  isTight(clientOf: () => string | undefined): boolean {
    const { unread, clientUnread, connectionUnread } = this.#limits;
    if (this.#held + this.#written <= clientUnread / 2) return false;
    if (this.#now() - this.#lookedAt > LOOK_MS) this.#look();
    const client = clientOf();
    // A client that has read its responses does not wait; if necessary, others are cut off.
    const held = client === undefined ? 0 : sum(this.#heldBy.get(client) ?? []);
    if (client === undefined || held <= connectionUnread) return false;
    if (held > clientUnread / 2) this.#awaited.clients.add(client);
    else if (this.#held > unread / 2) this.#awaited.all = true;
    else return false;
    return true;
  }

  #look(writer?: Answer, bytes = 0): void {
    const now = this.#now();
    this.#lookedAt = now;
    this.#written = 0;
    for (const answer of this.#answers) {
      answer.look(now);
      if (answer === writer) answer.held += bytes;
      else if (answer.held === 0) this.#answers.delete(answer);
    }
    this.#held = sum(this.#answers);
    this.#heldBy = this.#held > this.#limits.clientUnread / 2 ? byClient(this.#answers) : new Map();
    for (const [client, answers] of this.#heldBy) {
      if (client === undefined) continue;
      const isAwaited = this.#awaited.clients.has(client);
      this.#keep(answers, { limit: this.#limits.clientUnread, isAwaited, now, writer, client });
    }
    this.#keep([...this.#answers], { limit: this.#limits.unread, isAwaited: this.#awaited.all, now, writer });
    this.#awaited.all = false;
    this.#awaited.clients.clear();
  }

  /** Cuts off the slowest readers until the rest is within the limit. */
  #keep(answers: readonly Answer[], { limit, isAwaited, now, writer, client }: Keeping): void {
    const held = sum(answers);
    if (held <= limit / 2) return;
    const live = answers.filter(({ isCut }) => !isCut);
    const slowest = live
      .map((answer) => ({ answer, time: answer.timeLeft(now) }))
      .toSorted((a, b) => b.time - a.time);
    let left = sum(live);
    for (const { answer } of slowest) {
      const hadTime = isAwaited && answer.age(now) > PATIENCE_MS;
      if (left <= (hadTime ? limit / 2 : limit)) continue;
      left -= answer.held;
      this.#cut(answer, client);
    }
    if (writer !== undefined && !writer.isCut && answers.includes(writer) && held > limit * OVER) {
      const pending = answers.filter(({ isCut, isGone }) => isCut && !isGone);
      if (sum(pending) + left > limit * OVER) this.#cut(writer, client);
    }
  }

  #cut(answer: Answer, client: string | undefined): void {
    // Ending its connection may already have removed others.
    if (!answer.isGone) this.#onCut(answer, client !== undefined);
    answer.cut();
  }
}

interface Keeping {
  readonly limit: number;
  readonly isAwaited: boolean;
  readonly now: number;
  readonly writer: Answer | undefined;
  readonly client?: string;
}

function sum(answers: Iterable<Answer>): number {
  let bytes = 0;
  for (const { held } of answers) bytes += held;
  return bytes;
}

function byClient(answers: Iterable<Answer>): Map<string | undefined, Answer[]> {
  const groups = new Map<string | undefined, Answer[]>();
  for (const answer of answers) {
    const group = groups.get(answer.client);
    if (group === undefined) groups.set(answer.client, [answer]);
    else group.push(answer);
  }
  return groups;
}
