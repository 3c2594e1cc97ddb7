import { create } from '@bufbuild/protobuf';
import {
  type WatchMembersResponse,
  WatchMembersResponseSchema,
  WatchSnapshotSchema,
  WatchStartedSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { WatchItem } from '../discovery/watch.ts';
import { ownTurn } from '../own-turn.ts';
import { eventUpdate, membersMessage } from './messages.ts';

/** From this many members, building a message of all of them takes half a millisecond. */
const LARGE = 100;

type Result<T> = IteratorResult<T, undefined>;

export interface WatchMessagesOptions {
  readonly discovery: Discovery;
  /** Converts an error of the watch. Throws the one for the caller. */
  readonly refuse: (thrown: unknown) => never;
  /** Called at least once when the watch is over. */
  readonly leave: () => void;
}

/**
 * WatchMessages are the items of a watch as messages. An iterator, because thousands of them wait, and a generator
 * would take more memory.
 */
export class WatchMessages implements AsyncIterableIterator<WatchMembersResponse, undefined> {
  readonly #items: AsyncGenerator<WatchItem, void>;
  readonly #options: WatchMessagesOptions;

  constructor(items: AsyncGenerator<WatchItem, void>, options: WatchMessagesOptions) {
    this.#items = items;
    this.#options = options;
  }

  next(): Promise<Result<WatchMembersResponse>> {
    return this.#items.next().then(this.#converted, this.#failed);
  }

  /** Called when the reader leaves. */
  async return(): Promise<Result<WatchMembersResponse>> {
    this.#options.leave();
    await this.#items.return();
    return { done: true, value: undefined };
  }

  /** Called when the reader fails: not a failure of the watch. */
  async throw(failure: unknown): Promise<Result<WatchMembersResponse>> {
    await this.return();
    throw failure;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #converted = (
    result: IteratorResult<WatchItem, void>,
  ): Result<WatchMembersResponse> | Promise<Result<WatchMembersResponse>> => {
    if (result.done === true) {
      this.#options.leave();
      return { done: true, value: undefined };
    }
    const item = result.value;
    // For each watcher, converting the deletion of a large cluster takes milliseconds.
    const isLarge = item.type === 'EVENT' && (item.event.removed?.length ?? 0) > LARGE;
    if (isLarge) return ownTurn().then(() => this.#message(item));
    return this.#message(item);
  };

  readonly #failed = (thrown: unknown): never => {
    this.#options.leave();
    return this.#options.refuse(thrown);
  };

  #message(item: WatchItem): Result<WatchMembersResponse> {
    try {
      return { done: false, value: updateOf(item, this.#options.discovery) };
    } catch (thrown) {
      void this.#items.return();
      return this.#failed(thrown);
    }
  }
}

function updateOf(item: WatchItem, discovery: Discovery): WatchMembersResponse {
  if (item.type === 'EVENT') return eventUpdate(item.event);
  const message = create(WatchMembersResponseSchema);
  message.update =
    item.type === 'SNAPSHOT'
      ? { case: 'snapshot', value: membersMessage(WatchSnapshotSchema, item, discovery) }
      : { case: 'started', value: create(WatchStartedSchema, { revision: item.revision }) };
  return message;
}
