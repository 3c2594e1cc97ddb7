import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { until } from '../etcd/harness/until.ts';
import { Random } from '../store/support/random.ts';
import type { ListedMember, Listing, RecordedHistory, Registration, Watching } from './history.ts';

const CLIENTS = 8;
const LONGEST_PAUSE_MS = 150;
const WATCHERS = 12;
/** Far longer than any response takes, including "unavailable": a call that reaches it got no response at all. */
const CALL_LIMIT_MS = 20_000;

interface Token {
  readonly token: string;
  readonly size: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Clients that create tokens, register, list and watch concurrently at several replicas, and record what they see. */
export class Workload {
  readonly #random: Random;
  readonly #clients: readonly DiscoveryClient[];
  readonly #tokens: Token[] = [];
  readonly #calls: Array<Registration | Listing> = [];
  readonly #watchers: Watcher[] = [];
  readonly #running: Array<Promise<void>> = [];
  /** Registrations with unknown outcome, which are retried, as nodes do. */
  readonly #unknown: Array<Pick<Registration, 'token' | 'id' | 'name' | 'peerUrl'>> = [];
  #clock = 0;
  #nextMember = 0;
  #stopping = false;
  /** Calls without a response in time. */
  silent = 0;
  /** Calls that failed as unavailable. */
  refused = 0;

  /** `urls` are those of the replicas and of the balancer. */
  constructor(seed: number, urls: readonly string[]) {
    this.#random = new Random(seed);
    // Without the retries of our own client, so that every try is recorded.
    this.#clients = urls.map((baseUrl) =>
      createClient(DiscoveryService, createConnectTransport({ baseUrl, httpVersion: '1.1' })),
    );
  }

  start(): this {
    for (let i = 0; i < CLIENTS; i++) this.#running.push(this.#run());
    return this;
  }

  /** Waits for this many more acknowledged registrations. */
  async progress(registrations: number): Promise<void> {
    const done = (): number =>
      this.#calls.filter((call) => call.type === 'REGISTER' && call.outcome === 'DONE').length;
    const wanted = done() + registrations;
    await until(`${registrations} more registrations`, () => (done() >= wanted ? true : undefined));
  }

  /** Ends the calls, waits until the watchers have received everything, and returns what all clients saw. */
  async stop(): Promise<RecordedHistory> {
    this.#stopping = true;
    await Promise.all(this.#running);
    const final = new Map<string, Listing>();
    for (const { token } of this.#tokens) {
      const listing = await until(`a last list of ${token}`, () => this.#list(token));
      final.set(token, listing);
    }
    for (const watcher of this.#watchers) {
      const due = final.get(watcher.seen.token)?.members ?? [];
      // This finds a missing event; the checker finds everything else.
      await until(
        'a watcher to receive everything',
        () => (watcher.count >= due.length ? true : undefined),
        () => `\nit knows ${watcher.count} of ${due.length} members of ${watcher.seen.token}`,
      );
    }
    await this.end();
    const sizes = new Map(this.#tokens.map(({ token, size }) => [token, size]));
    return { sizes, calls: this.#calls, watches: this.#watchers.map(({ seen }) => seen), final };
  }

  /** Ends the calls and the watchers in any state. */
  async end(): Promise<void> {
    this.#stopping = true;
    for (const watcher of this.#watchers) watcher.stop();
    await Promise.all(this.#running);
  }

  /** Returns a summary for failures. */
  describe(): string {
    const count = (outcome: string): number =>
      this.#calls.filter((call) => call.type === 'REGISTER' && call.outcome === outcome).length;
    const lists = this.#calls.filter(({ type }) => type === 'LIST').length;
    return `${this.#tokens.length} tokens, registrations: ${count('DONE')} done, ${count('REFUSED')} refused, ${count('UNKNOWN')} unknown; ${lists} lists, ${this.#watchers.length} watchers, ${this.refused} times unavailable`;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#step();
      await sleep(this.#random.between(0, LONGEST_PAUSE_MS));
    }
  }

  async #step(): Promise<void> {
    const kind = this.#random.next();
    const open = this.#tokens.slice(-4);
    if (open.length === 0 || kind < 0.05) return this.#make();
    const { token, size } = this.#random.pick(open);
    if (kind < 0.5) return this.#register(this.#unknown.shift() ?? this.#newMember(token, size));
    if (kind < 0.6 && this.#watchers.length < WATCHERS) {
      this.#watchers.push(new Watcher(token, () => this.#pick()));
      return undefined;
    }
    const listing = await this.#list(token);
    if (listing !== undefined) this.#calls.push(listing);
    return undefined;
  }

  /** Returns a member whose name is sometimes taken, or will be. */
  #newMember(token: string, size: number): Pick<Registration, 'token' | 'id' | 'name' | 'peerUrl'> {
    const i = this.#nextMember++;
    const name = `infra${this.#random.chance(0.2) ? this.#random.between(1, size) : i + 1000}`;
    return { token, id: `id${i}`, name, peerUrl: `http://10.0.${i >> 8}.${i & 255}:2380` };
  }

  async #make(): Promise<void> {
    const size = this.#random.between(3, 40);
    const { cluster } = (await this.#call((client, options) => client.createToken({ size }, options))) ?? {};
    if (cluster !== undefined) this.#tokens.push({ token: cluster.token, size });
  }

  async #register(member: Pick<Registration, 'token' | 'id' | 'name' | 'peerUrl'>): Promise<void> {
    const { token, id, name, peerUrl } = member;
    const begin = ++this.#clock;
    const record: Mutable<Registration> = { type: 'REGISTER', ...member, begin, end: 0, outcome: 'UNKNOWN' };
    const request = { token, memberId: id, name, peerUrls: [peerUrl] };
    const response = await this.#call(
      (client, options) => client.register(request, options),
      () => {
        record.outcome = 'REFUSED';
      },
    );
    record.end = ++this.#clock;
    if (response?.member !== undefined) {
      record.outcome = 'DONE';
      record.createRevision = response.member.createRevision;
    } else if (record.outcome === 'UNKNOWN') this.#unknown.push(member);
    this.#calls.push(record);
  }

  async #list(token: string): Promise<Listing | undefined> {
    const begin = ++this.#clock;
    const response = await this.#call((client, options) => client.listMembers({ token }, options));
    if (response === undefined) return undefined;
    const { members, revision } = response;
    return { type: 'LIST', token, begin, end: ++this.#clock, revision, members: members.map(seen) };
  }

  #pick(): DiscoveryClient {
    return this.#random.pick(this.#clients);
  }

  /** Returns undefined if the call failed. Calls `refused` if the service rejected it. */
  async #call<T>(
    made: (client: DiscoveryClient, options: { timeoutMs: number }) => Promise<T>,
    refused: () => void = () => {},
  ): Promise<T | undefined> {
    try {
      return await made(this.#pick(), { timeoutMs: CALL_LIMIT_MS });
    } catch (thrown) {
      const { code } = ConnectError.from(thrown);
      if (code === Code.DeadlineExceeded) this.silent += 1;
      else if (code === Code.Unavailable) this.refused += 1;
      else if (REFUSALS.has(code)) refused();
      return undefined;
    }
  }
}

const REFUSALS = new Set([Code.AlreadyExists, Code.FailedPrecondition, Code.ResourceExhausted]);

/** Watches a token, and reconnects after every break to any replica from the last revision that it saw. */
class Watcher {
  readonly seen: Mutable<Watching> & { events: Array<Watching['events'][number]> };
  readonly #client: () => DiscoveryClient;
  readonly #stop = new AbortController();
  #begun = false;

  constructor(token: string, client: () => DiscoveryClient) {
    this.seen = { token, from: 0n, snapshot: [], events: [] };
    this.#client = client;
    void this.#run();
  }

  /** The number of known members; -1 before the snapshot. */
  get count(): number {
    return this.#begun ? this.seen.snapshot.length + this.seen.events.length : -1;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#watch(signal);
      } catch {
        // The connection broke, or the replica is failing.
      }
      await sleep(100);
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { seen: watch } = this;
    const afterRevision = watch.events.at(-1)?.revision ?? watch.from;
    const request = { token: watch.token, ...(this.#begun && { afterRevision }) };
    for await (const { update } of this.#client().watchMembers(request, { signal })) {
      if (update.case === 'snapshot') {
        this.#begun = true;
        watch.from = update.value.revision;
        watch.snapshot = update.value.members.map(seen);
      } else if (update.case === 'event') {
        const { revision, member } = update.value;
        if (member !== undefined) watch.events.push({ revision, member: seen(member) });
      }
    }
  }
}

function seen({ id, name, peerUrls, createRevision }: Member): ListedMember {
  return { id, name, peerUrl: peerUrls.join(), createRevision };
}
