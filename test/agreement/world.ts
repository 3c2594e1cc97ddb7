import { setTimeout as sleep } from 'node:timers/promises';
import { RegisterMode } from '../../gen/discovery/v1/service_pb.ts';
import type { Store } from '../../src/discovery/store.ts';
import type { Cluster } from '../../src/discovery/types.ts';
import { Host } from './host.ts';
import type { NodeIdentity } from './node.ts';
import { type Budget, identityOf, type OpenStore, type Setup, TOKEN } from './setup.ts';
import { Slot } from './slot.ts';
import { Verdicts } from './verdicts.ts';

/** Nodes, a service and events: one step at a time, the next one when nothing is in progress. */
export class World {
  readonly setup: Setup;
  readonly slots: readonly Slot[];
  readonly verdicts = new Verdicts();
  budget: Budget;
  cluster: Cluster | undefined;
  store: Store;
  readonly #open: OpenStore;
  // Lazily rendered, because most stories are never printed.
  readonly #story: Array<string | (() => string)> = [];
  host: Host;

  private constructor(setup: Setup, open: OpenStore, store: Store) {
    this.setup = setup;
    this.#open = open;
    this.budget = setup.budget;
    this.store = store;
    this.host = this.#begin();
    this.slots = setup.dialects.map(
      (dialect, i) => new Slot(dialect, String(i + 1), this.#identityOf(i + 1, 0), TOKEN),
    );
  }

  static async open(setup: Setup): Promise<World> {
    const open = setup.newData();
    const world = new World(setup, open, await open());
    await world.host.client.createToken({ token: TOKEN, size: setup.size });
    await world.#look();
    return world;
  }

  #identityOf(i: number, start: number): NodeIdentity {
    return (this.setup.identityOf ?? identityOf)(i, start);
  }

  #begin(): Host {
    const host = new Host(this.store, this.setup.mutation ?? {}, (defect) => this.verdicts.defect(defect));
    host.held.holds = this.setup.isFine && this.cluster !== undefined;
    return host;
  }

  /** The story so far, for people. */
  get story(): readonly string[] {
    return this.#story.map((each) => (typeof each === 'string' ? each : each()));
  }

  /** Returns what can happen now. `steps` of nodes and the service come first; when none is left, all is quiet. */
  enabled(): { readonly steps: readonly string[]; readonly events: readonly string[] } {
    const steps: string[] = [];
    const events: string[] = [];
    for (const slot of this.slots) {
      if (slot.canCall) steps.push(`go ${slot.letter}`);
      if (slot.inbox.length > 0) steps.push(`take ${slot.letter}`);
    }
    for (const i of this.host.held.held.keys()) steps.push(`release ${i}`);
    const { cuts, crashes, breaks, restarts } = this.budget;
    for (const slot of this.slots) {
      const isMember = this.cluster?.members.some(({ id }) => id === slot.identity.id) ?? false;
      if (cuts > 0 && isMember) events.push(`remove ${slot.letter}`, `replace ${slot.letter}`);
      if (crashes > 0 && slot.canCrash) events.push(`crash ${slot.letter}`);
      if (breaks > 0 && slot.isWaiting) events.push(`break ${slot.letter}`);
    }
    if (restarts > 0) events.push('stop', 'kill');
    return { steps, events };
  }

  /** Applies an action. Returns false if it cannot happen now. */
  async apply(action: string): Promise<boolean> {
    const { steps, events } = this.enabled();
    if (!steps.includes(action) && !events.includes(action)) return false;
    const [verb = '', which = ''] = action.split(' ');
    const slot = this.slots.find(({ letter }) => letter === which);
    switch (verb) {
      case 'release':
        this.#tell(`the store: ${this.host.held.held[Number(which)]?.what}`);
        this.host.held.held[Number(which)]?.release();
        break;
      case 'stop':
      case 'kill':
        await this.#restart(verb);
        break;
      default:
        if (slot !== undefined) await this.#applyTo(slot, verb);
    }
    await this.host.settle();
    await this.#look();
    return true;
  }

  async #applyTo(slot: Slot, verb: string): Promise<void> {
    switch (verb) {
      case 'go':
        return this.#go(slot);
      case 'take':
        return slot.takeOne();
      case 'remove':
        this.#cut(slot, 'removed', this.host.client.deregister({ token: TOKEN, memberId: slot.identity.id }));
        return undefined;
      case 'replace':
        return this.#replace(slot);
      case 'crash':
        this.#spend('crashes');
        this.#tell(`${slot.letter} crashes and restarts`);
        return slot.startAgain(slot.identity);
      case 'break':
        this.#spend('breaks');
        this.#tell(`the connection of ${slot.letter} breaks`);
        return slot.breakConnection();
    }
  }

  /** Runs coarse steps up to a point where actions of others can interleave. */
  async #go(slot: Slot): Promise<void> {
    const { isFine } = this.setup;
    const group = slot.group;
    do {
      const { stage } = slot.machine;
      slot.call(this.host, isFine, (text) => this.#tell(text));
      if (isFine) return;
      await this.host.settle();
      if (slot.machine.stage === stage) return;
    } while (slot.canCall && slot.group === group);
  }

  #replace(slot: Slot): void {
    const { letter, identity } = slot;
    const wanted = this.#identityOf(Number(letter), slot.starts + 1);
    const call = this.host.client.register({
      token: TOKEN,
      memberId: identity.id,
      name: wanted.name,
      peerUrls: [wanted.peerUrl],
      mode: RegisterMode.REPLACE,
    });
    this.#cut(slot, 'replaced', call, () => slot.startAgain(wanted));
  }

  /** A rejected change does not count: it may be retried. */
  #cut(slot: Slot, how: string, call: Promise<unknown>, then = (): void => {}): void {
    const before = this.budget;
    this.#spend('cuts');
    call.then(
      () => {
        this.#tell(`${slot.letter} is ${how}`);
        then();
      },
      (refusal: Error) => {
        this.#tell(`${slot.letter} cannot be ${how}: ${refusal.message}`);
        if (!this.setup.isFine) this.budget = before;
      },
    );
  }

  async #restart(how: 'stop' | 'kill'): Promise<void> {
    this.#spend('restarts');
    this.#tell(how === 'stop' ? 'the service stops and restarts' : 'the service is killed and restarts');
    const { held } = this.host;
    if (how === 'stop') {
      held.holds = false;
      for (const each of held.held.slice()) each.release();
      this.host.stop();
      await this.host.settle();
    }
    held.drop();
    for (const slot of this.slots) slot.breakConnection();
    await this.host.settle();
    await this.store.close();
    this.store = await this.#open();
    this.host = this.#begin();
  }

  /** Runs steps until none is left. Returns false if they never end. */
  async finish(limit = 600): Promise<boolean> {
    const { newsMs = 0 } = this.setup;
    let late = newsMs > 0;
    for (let i = 0; i < limit; i++) {
      const { steps } = this.enabled();
      const [step] = [...steps.filter((each) => !each.startsWith('go')), ...steps];
      if (step === undefined && late) {
        await sleep(newsMs);
        await this.host.settle();
        late = false;
        continue;
      }
      late = newsMs > 0;
      if (step === undefined) {
        this.verdicts.quiet(this.slots, this.cluster);
        return true;
      }
      await this.apply(step);
    }
    this.verdicts.endless(this.slots, this.cluster);
    return false;
  }

  async close(): Promise<void> {
    this.host.held.drop();
    for (const slot of this.slots) slot.vanish();
    this.host.stop();
    await this.host.settle();
    await this.store.close();
  }

  #spend(what: keyof Budget): void {
    this.budget = { ...this.budget, [what]: this.budget[what] - 1 };
  }

  #tell(text: string | (() => string)): void {
    this.#story.push(text);
  }

  async #look(): Promise<void> {
    this.cluster = (await this.store.read(TOKEN)).cluster;
    if (!this.setup.isFine || this.cluster !== undefined) this.host.held.holds = this.setup.isFine;
    this.verdicts.look(this.slots, this.cluster);
  }
}
