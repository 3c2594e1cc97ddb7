import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { Feed, FeedReader } from './feed.ts';
import type { WaitRequest } from './request.ts';
import type { Response } from './responder.ts';

/** Waiter is a waiting client, from its request to its end. */
export class Waiter implements FeedReader {
  after = 0n;
  ready = false;
  readonly #request: WaitRequest;
  readonly #response: Response;
  readonly #polls: Deadlines;
  #poll: Deadline | undefined;
  #feed: Feed | undefined;
  #isGone = false;

  constructor(request: WaitRequest, response: Response, polls: Deadlines) {
    this.#request = request;
    this.#response = response;
    this.#polls = polls;
    response.on('close', () => {
      this.#isGone = true;
      this.#leave();
    });
  }

  /** Whether the client has disconnected or has its response. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Sends its headers, and then what the feed delivers until the poll limit. */
  hold(feed: Feed): void {
    this.#feed = feed;
    this.#poll = this.#polls.add(() => this.end());
    this.ready = true;
    feed.serve(this);
  }

  wants({ id }: Member): boolean {
    const { awaited } = this.#request;
    return typeof awaited === 'object' ? awaited.id === id : awaited === 'ANY';
  }

  get countsMembers(): boolean {
    return this.#request.awaited === 'ANY';
  }

  take(body: string): void {
    if (!this.#request.stream) {
      this.#leave();
      this.#response.end(body);
    } else if (!this.#response.write(body)) {
      this.ready = false;
      this.#response.once('drain', () => {
        this.ready = this.#feed !== undefined;
        this.#feed?.serve(this);
      });
    }
  }

  end(): void {
    this.#leave();
    this.#response.end();
  }

  breakOff(): void {
    this.#leave();
    this.#response.destroy();
  }

  #leave(): void {
    this.ready = false;
    if (this.#poll !== undefined) this.#polls.remove(this.#poll);
    this.#feed?.leave(this);
    this.#feed = undefined;
  }
}
