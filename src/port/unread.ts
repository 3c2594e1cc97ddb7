import type { Answer } from './answer.ts';

/** What was written since the last look makes for the next one: so much more than is known may be unread. */
const LOOK_BYTES = 1024 * 1024;
/** Between two looks while requests wait for others to read. */
export const LOOK_MS = 100;
/** For an answer to be read where others wait for that: a second of a line that takes a fair part of the room. */
const PATIENCE_MS = 1000;
/** What is cut off is held for a turn more: past so much more than the limit not even that is waited for. */
const OVER = 1.25;

export interface UnreadLimits {
  /** Bytes of all answers, and of those of one client. */
  readonly unread: number;
  readonly clientUnread: number;
  /** With so much of its own a client waits for nobody. */
  readonly connectionUnread: number;
}

/** Told of each answer that is cut off. By client: for the limit of one. */
export type OnCut = (answer: Answer, byClient: boolean) => void;

/**
 * Counts the bytes of answers that their readers have not taken, and keeps them within limits. Past half of a limit
 * those who have some themselves have to read before they get more, within a second where they ask for it; past the
 * limit the slowest is cut off at once.
 */
export class Unread {
  readonly #limits: UnreadLimits;
  readonly #onCut: OnCut;
  readonly #now: () => number;
  /** Those of which something may be unread. */
  readonly #answers = new Set<Answer>();
  /** At the last look, by client where it matters; and what was written since. */
  #held = 0;
  #heldBy: ReadonlyMap<string | undefined, readonly Answer[]> = new Map();
  #written = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Somebody waits since the last look. */
  readonly #awaited = { all: false, clients: new Set<string>() };

  constructor(limits: UnreadLimits, onCut: OnCut, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#onCut = onCut;
    this.#now = now;
  }

  /** Whether bytes of an answer may be written now. Makes room for them by cutting off slow readers. */
  mayWrite(answer: Answer, bytes: number): boolean {
    if (answer.isCut) return false;
    this.#answers.add(answer);
    this.#written += bytes;
    if (this.#written >= LOOK_BYTES) this.#look(answer, bytes);
    return !answer.isCut;
  }

  forget(answer: Answer): void {
    this.#answers.delete(answer);
  }

  /** Whether a request has to wait until its client has read more of what it was sent. */
  isTight(clientOf: () => string | undefined): boolean {
    const { unread, clientUnread, connectionUnread } = this.#limits;
    if (this.#held + this.#written <= clientUnread / 2) return false;
    if (this.#now() - this.#lookedAt > LOOK_MS) this.#look();
    const client = clientOf();
    // Who has read what it was sent waits for nobody: the others are cut off, if need be.
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

  /** Cuts off the slowest readers, until the others are within the limit. */
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
    // With its connection others may be gone by now.
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
