import assert from 'node:assert/strict';
import type { Event } from '../../../src/discovery/change.ts';
import type { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError, type Reason } from '../../../src/discovery/errors.ts';
import type { Cluster, Millis, Revision, Token } from '../../../src/discovery/types.ts';
import type { Model } from './model.ts';

/** A client that watches one token across restarts of the service, and records what it receives. */
export class Watcher {
  readonly token: Token;
  readonly events: Event[] = [];
  /** Why the watch ended: an error, or its last event. */
  ended: Reason | 'LAST_EVENT' | undefined;
  readonly #slow: boolean;
  /** Events after this revision are expected; undefined until a snapshot sets it. */
  #from: Revision | undefined;
  #snapshot: Cluster | undefined;
  #begun = false;
  #stop = new AbortController();

  constructor(discovery: Discovery, token: Token, after: Revision | undefined, slow: boolean) {
    this.token = token;
    this.#slow = slow;
    this.#from = after;
    void this.#run(discovery, after);
  }

  close(): void {
    this.#stop.abort();
  }

  /** Breaks the connection. */
  pause(): void {
    this.#stop.abort();
  }

  /** Resumes after the last received event. */
  resume(discovery: Discovery): void {
    if (this.ended !== undefined) return;
    this.#stop = new AbortController();
    void this.#run(discovery, this.events.at(-1)?.revision ?? this.#from);
  }

  /** Reports whether it has received everything that the model knows. */
  isDone(model: Model): boolean {
    if (this.ended !== undefined) return true;
    const entry = model.entries.get(this.token);
    if (!this.#begun || entry === undefined || entry.cluster.deleteTime !== undefined) return false;
    return this.events.length >= this.#expected(model).length;
  }

  check(model: Model, now: Millis): void {
    const entry = model.entries.get(this.token);
    if (this.ended !== undefined && this.ended !== 'LAST_EVENT') {
      const due: Reason[] = [];
      // A token that is created while its watch starts may or may not be seen.
      if (entry === undefined || this.events.length === 0) due.push('TOKEN_NOT_FOUND');
      // A token that has since been swept may have been seen before.
      if (entry === undefined || entry.cluster.deleteTime !== undefined) due.push('TOKEN_DELETED');
      // The watch may have ended just before the token was reopened.
      const reopened = entry?.events.some(({ type, time }) => type === 'TOKEN_REOPENED' && time === now);
      if (entry === undefined || now >= entry.cluster.expireTime || reopened) due.push('TOKEN_EXPIRED');
      assert.ok(due.includes(this.ended), `it ended with ${this.ended} instead of ${due.join(' or ')}`);
    }
    if (!this.#begun || entry === undefined) return;
    const expected = this.#expected(model);
    // A watch that ended before its token was reopened has only the events before that.
    const expectedSoFar = this.ended === 'TOKEN_EXPIRED' ? expected.slice(0, this.events.length) : expected;
    assert.deepEqual(this.events, expectedSoFar);
    if (this.#snapshot !== undefined) {
      assert.deepEqual(this.#snapshot, model.at(this.token, this.#from as Revision));
    }
    if (this.ended === 'LAST_EVENT') assert.equal(this.events.at(-1)?.type, 'TOKEN_DELETED');
  }

  #expected(model: Model): Event[] {
    const events = model.entries.get(this.token)?.events ?? [];
    return events.filter((event) => event.revision > (this.#from as Revision));
  }

  async #run(discovery: Discovery, after: Revision | undefined): Promise<void> {
    const { signal } = this.#stop;
    try {
      for await (const item of discovery.watch(this.token, after, signal)) {
        if (this.#slow) for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
        // Messages that arrive on a broken connection are lost.
        if (signal.aborted) return;
        this.#begun = true;
        if (item.type === 'SNAPSHOT') {
          this.#from = item.revision;
          this.#snapshot = item.cluster;
        } else if (item.type === 'EVENT') this.events.push(item.event);
      }
      if (!signal.aborted) this.ended = 'LAST_EVENT';
    } catch (error) {
      if (!signal.aborted) this.ended = error instanceof DiscoveryError ? error.reason : 'INTERNAL';
    }
  }
}
