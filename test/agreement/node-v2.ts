import type { Answer, Call, NodeIdentity, NodeMachine, Outcome } from './node.ts';
import { valueOf } from './node.ts';

// A model of server/etcdserver/api/v2discovery in etcd 3.4, 3.5 and 3.6, with client/v2 below it.

type Stage = 'CHECK_SIZE' | 'CHECK_LIST' | 'CREATE' | 'SEE_SELF' | 'SIZE' | 'LIST' | 'WAIT' | 'OVER';

interface Found {
  readonly key: string;
  readonly value: string;
  readonly createdIndex: number;
}

const READ = 'quorum=false&recursive=false&sorted=false';

export class NodeV2 implements NodeMachine {
  readonly identity: NodeIdentity;
  stage: Stage = 'CHECK_SIZE';
  outcome: Outcome | undefined;
  readonly #token: string;
  #size = 0;
  #createdIndex = 0n;
  /** The members that it has counted, in that order. */
  #all: string[] = [];
  #waitIndex = 0n;

  constructor(identity: NodeIdentity, token: string) {
    this.identity = identity;
    this.#token = token;
  }

  get memory(): readonly unknown[] {
    const isWaiting = this.stage === 'WAIT';
    return [this.stage, isWaiting ? this.#all : [], isWaiting ? this.#waitIndex - 1n : 0n];
  }

  next(): Call | undefined {
    const { id } = this.identity;
    switch (this.stage) {
      case 'CHECK_SIZE':
      case 'SIZE':
        return this.#get(`/_config/size?${READ}`);
      case 'CHECK_LIST':
      case 'LIST':
        return this.#get(`?${READ}`);
      case 'CREATE': {
        const body = `value=${encodeURIComponent(valueOf(this.identity))}`;
        return { type: 'HTTP', method: 'PUT', target: `/${this.#token}/${id}?prevExist=false`, body };
      }
      case 'SEE_SELF':
        return this.#get(`/${id}?recursive=false&wait=true&waitIndex=${this.#createdIndex}`);
      case 'WAIT':
        return this.#get(`?recursive=true&wait=true&waitIndex=${this.#waitIndex}`);
      case 'OVER':
        return undefined;
    }
  }

  #get(rest: string): Call {
    return { type: 'HTTP', method: 'GET', target: `/${this.#token}${rest}` };
  }

  take(answer: Answer): void {
    // The client library turns these into a cluster error.
    const failed = answer.type !== 'HTTP' || answer.status >= 500;
    if (failed) return this.#fail(answer);
    if (answer.status >= 400) return this.#end(`${answer.status} ${answer.body.trim()}`);
    // The client repeats a call with an empty response.
    if (answer.body === '') return undefined;
    const { node } = JSON.parse(answer.body) as Reply;
    switch (this.stage) {
      case 'CHECK_SIZE':
      case 'SIZE':
        this.#size = Number(node.value);
        this.stage = this.stage === 'SIZE' ? 'LIST' : 'CHECK_LIST';
        break;
      case 'CHECK_LIST':
      case 'LIST':
        this.#takeList(node.nodes ?? [], answer.index);
        break;
      case 'CREATE':
        this.#createdIndex = BigInt(node.createdIndex);
        this.stage = 'SEE_SELF';
        break;
      case 'SEE_SELF':
        this.stage = 'SIZE';
        break;
      case 'WAIT':
        this.#all.push(node.value);
        this.#waitIndex = BigInt(node.modifiedIndex) + 1n;
        this.#leaveIfAll();
        break;
      case 'OVER':
        break;
    }
    return undefined;
  }

  /**
   * Handles a failed call. A node retries from the size key before it has registered and while it waits, but
   * registers only once.
   */
  #fail(answer: Answer): void {
    if (this.stage === 'CREATE' || this.stage === 'SEE_SELF') {
      this.#end(`registration failed: ${JSON.stringify(answer, numbers)}`, answer.type === 'BROKEN');
    } else this.stage = this.stage.startsWith('CHECK') ? 'CHECK_SIZE' : 'SIZE';
  }

  #takeList(found: readonly Found[], index: bigint): void {
    const sorted = found.toSorted((a, b) => a.createdIndex - b.createdIndex);
    const own = sorted.findIndex(({ key }) => key.endsWith(`/${this.identity.id}`));
    if (own < 0 ? sorted.length >= this.#size : own >= this.#size) return this.#end('full');
    if (this.stage === 'CHECK_LIST') {
      this.stage = 'CREATE';
      return undefined;
    }
    this.#all = sorted.slice(0, this.#size).map(({ value }) => value);
    this.#waitIndex = index + 1n;
    this.stage = 'WAIT';
    return this.#leaveIfAll();
  }

  #leaveIfAll(): void {
    if (this.#all.length < this.#size) return;
    const names = new Set(this.#all.map((value) => value.split('=')[0]));
    if (names.size !== this.#size) return this.#end('duplicate name in its list');
    this.stage = 'OVER';
    this.outcome = { type: 'LEFT', members: this.#all };
  }

  #end(why: string, isCrash = false): void {
    this.stage = 'OVER';
    this.outcome = { type: 'ENDED', why, isCrash };
  }
}

interface Reply {
  readonly node: Found & { readonly modifiedIndex: number; readonly nodes?: readonly Found[] };
}

const numbers = (_name: string, value: unknown): unknown =>
  typeof value === 'bigint' ? Number(value) : value;
