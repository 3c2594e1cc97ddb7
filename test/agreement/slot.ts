import type { Host } from './host.ts';
import type { Connection } from './http-exchange.ts';
import { type Answer, callText, type Dialect, type NodeIdentity, type NodeMachine } from './node.ts';
import { NodeV2 } from './node-v2.ts';
import { NodeV3 } from './node-v3.ts';

/** Steps between which the actions of others make no difference, except with fine steps. */
const GROUPS: Readonly<Record<string, number>> = {
  CHECK_SIZE: 0,
  CHECK_LIST: 0,
  CREATE: 0,
  SEE_SELF: 0,
  PUT: 0,
  SIZE: 1,
  LIST: 1,
  WAIT: 2,
  WATCH: 2,
};

/** One node with its connection: a process that may be restarted. */
export class Slot {
  readonly letter: string;
  readonly dialect: Dialect;
  identity: NodeIdentity;
  machine: NodeMachine;
  /** How often it was restarted. */
  starts = 0;
  /** All calls, over all restarts. */
  readonly calls: string[] = [];
  /** Responses on their way to it. */
  inbox: Answer[] = [];
  readonly #token: string;
  #connection: Connection | undefined;

  constructor(dialect: Dialect, letter: string, identity: NodeIdentity, token: string) {
    this.dialect = dialect;
    this.identity = identity;
    this.letter = letter;
    this.#token = token;
    this.machine = this.#newMachine();
  }

  #newMachine(): NodeMachine {
    const { identity } = this;
    return this.dialect === 'V2' ? new NodeV2(identity, this.#token) : new NodeV3(identity, this.#token);
  }

  get isWaiting(): boolean {
    return this.#connection !== undefined;
  }

  get canCall(): boolean {
    return !this.isWaiting && this.machine.next() !== undefined;
  }

  /** A node that has started its etcd has data, and does not return to discovery. */
  get canCrash(): boolean {
    return this.machine.stage !== 'CHECK_SIZE' && this.machine.outcome?.type !== 'LEFT';
  }

  get group(): number | undefined {
    return GROUPS[this.machine.stage];
  }

  /** Makes the next call. `inSteps`: responses are kept and processed one by one. */
  call(host: Host, inSteps: boolean, tell: (text: () => string) => void): void {
    const call = this.machine.next();
    if (call === undefined) return;
    this.calls.push(callText(call));
    tell(() => `${this.letter} calls ${callText(call)}`);
    // A response may arrive during the call.
    const early: Answer[] = [];
    const answered = (answer: Answer): void => {
      if (connection.open === undefined) early.push(answer);
      else if (this.#connection === connection.open) {
        tell(() => `${this.letter} is sent ${textOf(answer)}`);
        this.inbox.push(answer);
        if (!inSteps) this.takeOne();
      }
    };
    const connection: { open?: Connection } = {};
    connection.open = host.call(call, answered);
    this.#connection = connection.open;
    for (const answer of early) answered(answer);
  }

  takeOne(): void {
    const answer = this.inbox.shift();
    if (answer === undefined) return;
    this.machine.take(answer);
    const isOpen = answer.type === 'CREATED' || answer.type === 'EVENTS';
    if (!isOpen || this.machine.outcome !== undefined) this.vanish();
  }

  /** Replaces the process with a new one. */
  startAgain(identity: NodeIdentity): void {
    this.vanish();
    this.starts += 1;
    this.identity = identity;
    this.machine = this.#newMachine();
  }

  /** Drops the responses on their way to it. */
  breakConnection(): void {
    if (!this.isWaiting) return;
    this.vanish();
    this.machine.take({ type: 'BROKEN' });
  }

  /** Disconnects it from the service, in both directions. */
  vanish(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.inbox = [];
    connection?.cut();
  }
}

function textOf(answer: Answer): string {
  const { type, ...rest } = answer;
  const text = JSON.stringify(rest, (_name, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return `${type} ${text}`;
}
