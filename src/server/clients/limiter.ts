import type { BlockList, Socket } from 'node:net';
import type { DiscoveryError } from '../../discovery/errors.ts';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { ConnectionCount, RequestHead } from '../../port/port.ts';
import { type Warner, warnRarely } from '../../port/warn-rarely.ts';
import type { ChangeKind, Quota } from '../../rpc/caller.ts';
import type { ClientLimits } from '../../settings/config.ts';
import { counted } from '../../values/counted.ts';
import { take } from '../../values/token-bucket.ts';
import { ClientAddresses } from './client-address.ts';
import { type Client, ClientTable } from './client-table.ts';
import { RequestRate } from './request-rate.ts';
import { tooMany } from './too-many.ts';

export interface LimiterOptions {
  readonly limits: ClientLimits;
  /** The limit for waiting nodes and watches of all clients. */
  readonly maxWatches: number;
  /** The proxies whose headers are believed. */
  readonly trustedProxies: BlockList | undefined;
  readonly log: Warner;
  /** Time in ms from a monotonic clock. */
  readonly now?: () => number;
}

/** Visitor is the sender of a request. */
export interface Visitor {
  /** The address for the log. Undefined if the socket was already closed. */
  readonly address: string | undefined;
  /** Undefined if no limit applies: this machine, whose owner could do worse. */
  readonly client: Client | undefined;
}

/** AdmissionRequest is a request that asks for admission. */
export interface AdmissionRequest {
  /** Whether it is a wait, for which a separate limit applies. */
  readonly isWait: boolean;
  /**
   * Whether its sender does not retry: it may use the last tenth of a burst, and may wait although there is
   * no room for another wait.
   */
  readonly mustPass: boolean;
}

/** Leave is called once, when the admitted request has ended. */
export type Leave = () => void;

/** Limiter ensures that no client uses up what is there for all. */
export class Limiter {
  readonly #limits: ClientLimits;
  readonly #rate: RequestRate;
  readonly #maxWatches: number;
  /** Rate-limited, because every client over its limit causes rejections. */
  readonly #warn: ReturnType<typeof warnRarely>;
  readonly #now: () => number;
  readonly #clients = new ClientTable();
  readonly #addresses: ClientAddresses;
  #watches = 0;

  constructor({ limits, maxWatches, trustedProxies, log, now = () => performance.now() }: LimiterOptions) {
    this.#limits = limits;
    this.#maxWatches = maxWatches;
    this.#addresses = new ClientAddresses(trustedProxies);
    this.#warn = warnRarely(log, now);
    this.#now = now;
    this.#rate = new RequestRate(limits.requests, now, (client, limit) => this.#tell(client, limit));
  }

  /** Returns the number of waiting nodes and watches of all clients. */
  get watches(): number {
    return this.#watches;
  }

  /** Counts a connection. Undefined: no limit applies. */
  connect(socket: Socket): ConnectionCount | undefined {
    const name = this.#addresses.ofConnection(socket);
    if (name === undefined) return undefined;
    const now = this.#now();
    const client = this.#clients.of(name, now);
    client.connections += 1;
    const over = client.connections - this.#limits.connections;
    if (over > 0) this.#tell(client, 'connections');
    const isDropped = client.pausedUntil > now || over > REQUEST_LIMITS.clientRefusals;
    return {
      verdict: isDropped ? 'DROPPED' : over > 0 ? 'REFUSED' : 'WELCOME',
      end: () => {
        client.connections -= 1;
      },
    };
  }

  /** Drops new connections of a client for a while after one of its connections flooded; open ones stay. */
  pause(socket: Socket): void {
    const name = this.#addresses.ofConnection(socket);
    if (name === undefined) return;
    const now = this.#now();
    this.#clients.of(name, now).pausedUntil = now + REQUEST_LIMITS.floodPause;
  }

  /** Returns the sender of a request: its peer, or the client that trusted proxies name. */
  visitorOf(request: RequestHead): Visitor {
    const { address, name } = this.#addresses.ofRequest(request);
    return { address, client: this.#clientOf(name) };
  }

  /** Returns the name of a request's client. Undefined if no limit applies. */
  nameOf(request: RequestHead): string | undefined {
    return this.#addresses.ofRequest(request).name;
  }

  /** Admits a request, or returns the reason why not. */
  enter(client: Client | undefined, { isWait, mustPass }: AdmissionRequest): Leave | DiscoveryError {
    const refusal =
      (client && this.#enterAs(client, mustPass)) ?? (isWait && !mustPass ? this.#noRoom(client) : undefined);
    if (refusal !== undefined) return refusal;
    if (client !== undefined) client.requests += 1;
    if (isWait) this.#count(client, 1);
    return () => {
      if (client !== undefined) client.requests -= 1;
      if (isWait) this.#count(client, -1);
    };
  }

  #enterAs(client: Client, mustPass: boolean): DiscoveryError | undefined {
    const { requestsAtOnce } = this.#limits;
    if (client.requests >= requestsAtOnce) {
      this.#tell(client, 'concurrent requests');
      return tooMany(
        `client ${client.name} reached its limit of ${counted(client.requests, 'concurrent request')}`,
        REQUEST_LIMITS.clientPause,
      );
    }
    return this.#rate.enter(client, mustPass);
  }

  /** Returns the quota for the calls of one request, which may outlive the entry of their client. */
  quotaOf(client: Client | undefined): Quota {
    const name = client?.name;
    const who = (): Client | undefined => this.#clientOf(name);
    return {
      makeToken: () => this.#makeToken(name),
      change: (bytes, kind) => this.#change(name, bytes, kind),
      watch: () => this.#watch(name),
      ask: (units) => {
        const client = who();
        if (client !== undefined) this.#rate.ask(client, units);
      },
      owe: (units) => {
        const client = who();
        if (client !== undefined) this.#rate.owe(client, units);
      },
      turn: () => {
        const client = who();
        return client === undefined ? 0 : this.#rate.turn(client);
      },
    };
  }

  #makeToken(name: string | undefined): void {
    const { newTokens } = this.#limits;
    if (newTokens === 'off' || name === undefined) return;
    const now = this.#now();
    const client = this.#clients.of(name, now);
    const taken = take(newTokens, client.newTokensFull, now);
    if ('wait' in taken) {
      this.#tell(client, 'new tokens');
      throw tooMany(
        `client ${name} reached its rate limit for new tokens; the tokens that it has created stay valid`,
        taken.wait,
      );
    }
    client.newTokensFull = taken.full;
  }

  #change(name: string | undefined, bytes: number, kind: ChangeKind): (bytes: number) => void {
    const { bytes: rate } = this.#limits;
    if (rate === 'off' || name === undefined) return () => {};
    const now = this.#now();
    const client = this.#clients.of(name, now);
    const kept = kind === 'NEW_TOKEN' ? Math.floor(rate.burst / 10) : 0;
    const taken = take(rate, client.bytesFull, now, { kept, count: bytes });
    if ('wait' in taken) {
      this.#tell(client, 'bytes');
      throw tooMany(`client ${name} reached its rate limit for stored bytes`, taken.wait);
    }
    client.bytesFull = taken.full;
    // An excess is charged too, even above the limit, because it is already stored.
    return (stored) => {
      const at = this.#now();
      const then = this.#clients.of(name, at);
      then.bytesFull = Math.max(then.bytesFull, at) + (stored - bytes) * rate.interval;
    };
  }

  #watch(name: string | undefined): () => void {
    const client = this.#clientOf(name);
    const refusal = this.#noRoom(client);
    if (refusal !== undefined) throw refusal;
    this.#count(client, 1);
    let open = true;
    return () => {
      if (open) this.#count(client, -1);
      open = false;
    };
  }

  #noRoom(client: Client | undefined): DiscoveryError | undefined {
    if (client !== undefined && client.watches >= this.#limits.watches) {
      this.#tell(client, 'watches');
      return tooMany(
        `client ${client.name} reached its limit of ${counted(client.watches, 'waiting node or watch', 'waiting nodes and watches')}`,
        REQUEST_LIMITS.clientPause,
      );
    }
    if (this.#watches < this.#maxWatches) return undefined;
    return tooMany('the service reached its limit of waiting nodes and watches', REQUEST_LIMITS.clientPause);
  }

  #count(client: Client | undefined, one: 1 | -1): void {
    this.#watches += one;
    if (client !== undefined) client.watches += one;
  }

  #clientOf(name: string | undefined): Client | undefined {
    return name === undefined ? undefined : this.#clients.of(name, this.#now());
  }

  #tell({ name }: Client, limit: string): void {
    this.#warn({ client: name, limit }, 'a client reached a limit');
  }
}
