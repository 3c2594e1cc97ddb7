import { REQUEST_LIMITS } from '../../limits.ts';

/** Clients examined for each new one: two are forgotten for each, if possible. */
const LOOKS = 2;

/** Client is the state of one client. */
export interface Client {
  /** Its IPv4 address or its IPv6 network. */
  readonly name: string;
  /** Currently open. */
  connections: number;
  /** Not answered yet. */
  requests: number;
  /** Currently open. */
  watches: number;
  /** When its buckets are full again. */
  requestsFull: number;
  newTokensFull: number;
  bytesFull: number;
  /** Until when its new connections are dropped. */
  pausedUntil: number;
}

/**
 * ClientTable holds the clients that have something open or have used part of a bucket. It is bounded without
 * a timer: each new client examines a few existing ones, oldest first and then in turn, and forgets those
 * that have neither.
 */
export class ClientTable {
  readonly #clients = new Map<string, Client>();
  readonly #most: number;
  /**
   * Resumes where the last scan stopped; restarting would walk entries already deleted but not yet compacted
   * by the Map.
   */
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

  /** Clients with something open are always kept: the port bounds their number. */
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
