import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../store/support/random.ts';
import { waitFor } from '../support/wait.ts';
import { type Call, type Dialect, READS, type RecordedCall, type Register } from './history.ts';
import { rpc } from './rpc.ts';
import { v2 } from './v2.ts';
import { v3 } from './v3.ts';

const CLIENTS = 8;
const TOKENS_AT_ONCE = 3;
/** The checker's work grows with a power of this number. */
const CALLS_PER_TOKEN = 60;
/** A registration that is repeated more than half a minute later does not count as a retry. */
const TOKEN_LIFE_MS = 15_000;
const MEMBERS = 6;
const PAUSE_MS = 20;

const DIALECTS: Readonly<Record<string, Dialect>> = { rpc, v2, v3 };

/** Percentages of calls. */
const SHARES: ReadonlyArray<readonly [kind: Call['kind'], share: number]> = [
  ['register', 42],
  ['list', 25],
  ['deregister', 16],
  ['create', 6],
  ['size', 3],
  ['get', 4],
  ['reopen', 3],
  ['delete', 1],
];

interface Token {
  readonly name: string;
  readonly made: number;
  calls: number;
}

/** Concurrent clients that use all dialects on a few shared tokens. */
export class Clients {
  readonly history: RecordedCall[] = [];
  readonly #random: Random;
  readonly #name: string;
  /** Where the service is reachable now. */
  readonly #urls: () => readonly string[];
  readonly #tokens: Token[] = [];
  readonly #start = process.hrtime.bigint();
  readonly #running: Array<Promise<void>>;
  #made = 0;
  #stopping = false;

  constructor(random: Random, name: string, urls: () => readonly string[]) {
    this.#random = random;
    this.#name = name;
    this.#urls = urls;
    this.#running = Array.from({ length: CLIENTS }, (_, client) => this.#run(client));
  }

  /** Waits for this many more responses. */
  async answered(calls: number): Promise<void> {
    const wanted = this.history.length + calls;
    await waitFor(`${calls} more responses`, () => this.history.length >= wanted);
  }

  async stop(): Promise<readonly RecordedCall[]> {
    this.#stopping = true;
    await Promise.all(this.#running);
    return this.history;
  }

  async #run(client: number): Promise<void> {
    while (!this.#stopping) {
      const urls = this.#urls();
      const sent = urls.length > 0 && (await this.#call(client, this.#random.pick(urls)));
      if (!sent) await sleep(PAUSE_MS);
    }
  }

  async #call(client: number, url: string): Promise<boolean> {
    const token = this.#token();
    const call = token.calls++ === 0 ? this.#create() : this.#choose(token);
    const dialect = this.#random.pick(dialectsOf(call));
    const begin = this.#now();
    const outcome = await (DIALECTS[dialect] ?? rpc)(url, token.name, call);
    const end = this.#now();
    const nothing = outcome.status === 'UNSENT' || (outcome.status === 'UNKNOWN' && READS.has(call.kind));
    if (!nothing) {
      this.history.push({ token: token.name, client, begin, end, call: { ...call, dialect }, outcome });
    }
    return !nothing;
  }

  #token(): Token {
    const i = this.#random.between(0, TOKENS_AT_ONCE - 1);
    const known = this.#tokens[i];
    if (known !== undefined && known.calls < CALLS_PER_TOKEN && Date.now() - known.made < TOKEN_LIFE_MS) {
      return known;
    }
    const token = { name: `${this.#name}-${this.#made++}`, made: Date.now(), calls: 0 };
    this.#tokens[i] = token;
    return token;
  }

  #choose(token: Token): Call {
    let share = this.#random.next() * 100;
    const [kind] = SHARES.find(([, each]) => (share -= each) < 0) ?? ['list'];
    switch (kind) {
      case 'create':
        return this.#create();
      case 'register':
        return this.#register();
      case 'deregister':
        return { kind, id: idOf(this.#random.between(1, MEMBERS)) };
      case 'delete':
        // Not early: little can be done with a deleted token.
        return { kind: token.calls > CALLS_PER_TOKEN / 2 ? kind : 'list' };
      default:
        return { kind };
    }
  }

  #create(): Call {
    return { kind: 'create', size: this.#random.chance(0.9) ? 4 : 3 };
  }

  #register(): Register {
    const i = this.#random.between(1, MEMBERS);
    const name = `m${i}${this.#random.pick(['a', 'b'])}`;
    const mode = this.#random.pick(['CREATE', 'REPLACE', 'SET'] as const);
    return { kind: 'register', id: idOf(i), name, mode, standby: this.#random.chance(0.5) };
  }

  #now(): number {
    return Number(process.hrtime.bigint() - this.#start);
  }
}

function idOf(i: number): string {
  return (0xa000 + i).toString(16);
}

/** Returns the dialects that have a call. */
function dialectsOf(call: Call): readonly string[] {
  switch (call.kind) {
    case 'get':
    case 'reopen':
      return ['rpc'];
    case 'delete':
      return ['rpc', 'v2'];
    case 'register':
      // In etcd's dialects a late node always becomes a standby, and a v3 put has no condition.
      if (!call.standby) return ['rpc'];
      return call.mode === 'SET' ? ['rpc', 'v2', 'v3'] : ['rpc', 'v2'];
    default:
      return ['rpc', 'v2', 'v3'];
  }
}
