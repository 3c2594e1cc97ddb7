import { REQUEST_LIMITS } from '../../limits.ts';

/** Clients looked at for each new one: two are forgotten for one that comes, where they can be. */
const LOOKS = 2;

/** What is known of a client. */
export interface Client {
  /** Its address, or its network of IPv6. */
  readonly name: string;
  /** Open now. */
  connections: number;
  /** Not answered yet. */
  requests: number;
  /** Open now. */
  watches: number;
  /** When its buckets are full again. */
  requestsFull: number;
  newTokensFull: number;
  bytesFull: number;
  /** Until when new connections are dropped. */
  pausedUntil: number;
}

/**
 * The clients that have something open or something used up. Bounded without a timer: each that comes looks at a
 * few, the oldest first and then in turn, and forgets those that have neither.
 */
export class ClientTable {
  readonly #clients = new Map<string, Client>();
  readonly #most: number;
  /** Goes on where it was: from the beginning it would pass all that was forgotten since the map was last packed. */
  #turn: MapIterator<Client>;

  constructor(most: number = REQUEST_LIMITS.clients) {
    this.#most = most;
    this.#turn = this.#clients.values();
  }

  get size(): number {
    return this.#clients.size;
  }

  of(name: string, now: number): Client {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    this.#forget(now);
    const client: Client = {
      name,
      connections: 0,
      requests: 0,
      watches: 0,
      requestsFull: 0,
      newTokensFull: 0,
      bytesFull: 0,
      pausedUntil: 0,
    };
    this.#clients.set(name, client);
    return client;
  }

  /** Those with something open stay in any case: the port bounds how many these are. */
  #forget(now: number): void {
    const over = this.#clients.size >= this.#most;
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const client = this.#next();
      if (client === undefined) return;
      const open = client.connections > 0 || client.requests > 0 || client.watches > 0;
      const { requestsFull, newTokensFull, bytesFull, pausedUntil } = client;
      const full = Math.max(requestsFull, newTokensFull, bytesFull, pausedUntil) <= now;
      if (!open && (full || over)) this.#clients.delete(client.name);
    }
  }

  #next(): Client | undefined {
    const next = this.#turn.next();
    if (next.done !== true) return next.value;
    this.#turn = this.#clients.values();
    return this.#turn.next().value;
  }
}
