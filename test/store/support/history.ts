import assert from 'node:assert/strict';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import type { Policy } from '../../../src/discovery/policy.ts';
import type { Store } from '../../../src/discovery/store.ts';
import { type Millis, type Revision, revision, type Token } from '../../../src/discovery/types.ts';
import { waitFor } from '../../support/wait.ts';
import type { Place } from './factory.ts';
import { randomCommand, randomCursor, randomPolicy, TOKENS } from './generate.ts';
import { type Command, Model, type ModelOutcome } from './model.ts';
import type { Random } from './random.ts';
import { Watcher } from './watcher.ts';

const WATCHERS = 6;
const CLOCK_STEPS_MS = [1, 1000, 15_000, 31_000, 61_000];

/** Runs one random history of the service over a store, and compares it with the model at every step. */
export class History {
  readonly #random: Random;
  readonly #place: Place;
  /** The maximum number of concurrent commands. */
  readonly #width: number;
  readonly #policy: Policy;
  #model!: Model;
  #now = 1_800_000_000_000 as Millis;
  #store!: Store;
  #discovery!: Discovery;
  #watchers: Watcher[] = [];
  /** Counts of outcomes, which show that the generator reaches them. */
  readonly counts: Record<string, number> = {};

  constructor(random: Random, place: Place, width: number) {
    this.#random = random;
    this.#place = place;
    this.#width = width;
    this.#policy = randomPolicy(random);
  }

  async run(steps: number): Promise<void> {
    await this.#open();
    const { revision: start } = await this.#store.read(TOKENS[0] as Token);
    this.#model = new Model(this.#policy, start);
    for (let step = 0; step < steps; step++) {
      const kind = this.#random.next();
      if (kind < 0.04) this.#now = (this.#now + this.#random.pick(CLOCK_STEPS_MS)) as Millis;
      else if (kind < 0.08) await this.#sweep();
      else if (kind < 0.1) await this.#restart();
      else if (kind < 0.12) this.#leaveWatch();
      else await this.#commands();
      await this.#caughtUp();
      await this.#compare();
    }
    for (const watcher of this.#watchers) watcher.close();
    assert.equal(this.#discovery.watchers(), 0);
    await this.#store.close();
  }

  #count(what: string, times = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + times;
  }

  async #open(): Promise<void> {
    this.#store = await this.#place.open(this.#policy);
    this.#discovery = new Discovery(this.#store, this.#policy, () => this.#now);
  }

  /** Runs a few concurrent commands, and starts watches among them. */
  async #commands(): Promise<void> {
    const before = this.#model.revision;
    const commands = Array.from({ length: this.#random.between(1, this.#width) }, () =>
      randomCommand(this.#random, this.#model, this.#now),
    );
    const under = commands.map(async (command) => ({
      command,
      outcome: await perform(this.#discovery, command),
    }));
    if (this.#watchers.length < WATCHERS && this.#random.chance(0.2)) {
      const after = randomCursor(this.#random, this.#model);
      const slow = this.#random.chance(0.3);
      this.#watchers.push(new Watcher(this.#discovery, this.#random.pick(TOKENS), after, slow));
    }
    const done = await Promise.all(under);
    for (const { command, outcome } of inOrder(done)) {
      const answered = revision(outcome.revision ?? 0n);
      assert.ok(answered >= before, 'it took effect after the request');
      this.#checkRevision(command.token, answered, ('changed' in outcome && outcome.changed) || false);
      assert.deepEqual(outcome, this.#model.run(command, this.#now, answered), show(command));
      if ('refused' in outcome) this.#count(outcome.refused);
      else if (outcome.changed === true) this.#count('changes');
    }
  }

  /** Checks the revision of a response before the model runs the command. */
  #checkRevision(token: Token, answered: Revision, changed: boolean): void {
    const { revision: last, entries } = this.#model;
    if (this.#place.revisions === 'COUNTED') assert.equal(answered, changed ? last + 1n : last);
    else if (changed) assert.ok(answered > (entries.get(token)?.cluster.modRevision ?? this.#model.start));
    else assert.ok(answered >= last);
  }

  async #sweep(): Promise<void> {
    const swept = this.#model.sweep(this.#now);
    assert.equal(await this.#discovery.sweep(), swept);
    this.#count('swept', swept);
  }

  async #restart(): Promise<void> {
    for (const watcher of this.#watchers) watcher.pause();
    await this.#store.close();
    await this.#open();
    for (const watcher of this.#watchers) watcher.resume(this.#discovery);
    this.#count('restarts');
  }

  #leaveWatch(): void {
    const [watcher, ...rest] = this.#watchers;
    watcher?.close();
    this.#watchers = rest;
  }

  /** Waits until each watch has reported everything that the model knows, then checks that it reported exactly that. */
  async #caughtUp(): Promise<void> {
    const waiting = (): Watcher[] => this.#watchers.filter((each) => !each.isDone(this.#model));
    for (let turn = 0; turn < 100 && waiting().length > 0; turn++) await new Promise(setImmediate);
    await waitFor('the watches to catch up', () => waiting().length === 0);
    // An ending watch leaves its topic a few microtasks before it reports its end.
    await new Promise(setImmediate);
    for (const watcher of this.#watchers) watcher.check(this.#model, this.#now);
    const ended = this.#watchers.filter((each) => each.ended !== undefined);
    for (const each of ended) this.#count('watched events', each.events.length);
    this.#watchers = this.#watchers.filter((each) => each.ended === undefined);
    assert.equal(this.#discovery.watchers(), this.#watchers.length, 'ended watches are removed');
  }

  async #compare(): Promise<void> {
    const { start, revision: last, entries } = this.#model;
    const reads = TOKENS.map(async (token) => {
      const entry = entries.get(token);
      const from = revision(this.#random.between(Number(start), Number(last) + 1));
      const [view, events] = await Promise.all([
        this.#store.read(token),
        this.#store.events(token, from, 10_000),
      ]);
      assert.deepEqual(view.cluster, entry?.cluster);
      this.#checkRevision(token, view.revision, false);
      assert.deepEqual(
        events,
        (entry?.events ?? []).filter((event) => event.revision > from),
      );
    });
    await Promise.all(reads);
  }
}

/** Runs a command on the service, and returns its outcome in the model's form. */
async function perform(discovery: Discovery, command: Command): Promise<ModelOutcome> {
  try {
    switch (command.call) {
      case 'create':
        return written(await discovery.createToken(command.create));
      case 'register': {
        const { member, previous, rank, ...rest } = await discovery.register(command.token, command.register);
        return { ...written(rest), member, rank, ...(previous === undefined ? {} : { previous }) };
      }
      case 'deregister': {
        const { member, rank, ...rest } = await discovery.deregister(
          command.token,
          command.id,
          command.expected,
        );
        return { ...written(rest), member, rank };
      }
      case 'delete':
        return written(await discovery.deleteToken(command.token));
      case 'reopen':
        return written(await discovery.reopenToken(command.token, command.ttl));
      case 'get':
        return await discovery.getCluster(command.token);
      case 'list':
        return await discovery.listMembers(command.token);
    }
  } catch (error) {
    if (!(error instanceof DiscoveryError)) throw error;
    return { refused: error.reason, revision: error.facts.revision };
  }
}

function written(answer: {
  cluster: object;
  revision: Revision;
  changed: boolean;
}): ModelOutcome & { cluster: never } {
  const { cluster, revision, changed } = answer;
  return { cluster, revision, changed } as ModelOutcome & { cluster: never };
}

interface Done {
  readonly command: Command;
  readonly outcome: ModelOutcome;
}

/** Sorts by when they took effect: each change at its revision, everything else after the change before it. */
function inOrder(done: readonly Done[]): Done[] {
  const place = ({ outcome }: Done): number =>
    Number(outcome.revision ?? 0n) * 2 + ('changed' in outcome && outcome.changed ? 0 : 1);
  return [...done].sort((a, b) => place(a) - place(b));
}

function show(command: Command): string {
  return JSON.stringify(command, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}
