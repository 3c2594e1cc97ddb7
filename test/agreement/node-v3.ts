import type { Answer, Call, KeyValue, NodeIdentity, NodeMachine, Outcome } from './node.ts';
import { valueOf } from './node.ts';

// A model of server/etcdserver/api/v3discovery in etcd 3.6 and 3.7, with the watch of client/v3 below it.

type Stage = 'CHECK_SIZE' | 'CHECK_LIST' | 'PUT' | 'SIZE' | 'LIST' | 'WATCH' | 'WATCHING' | 'OVER';

interface Counted {
  readonly key: string;
  readonly value: string;
  readonly createRevision: bigint;
}

export class NodeV3 implements NodeMachine {
  readonly identity: NodeIdentity;
  stage: Stage = 'CHECK_SIZE';
  outcome: Outcome | undefined;
  readonly #root: string;
  #size = 0;
  #counted: Counted[] = [];
  /** The revision of its list, from which it watches again when a watch ends. */
  #listed = 0n;
  /** The revision from which the client library resumes when the connection breaks. */
  #resume = 0n;

  constructor(identity: NodeIdentity, token: string) {
    this.identity = identity;
    this.#root = `/_etcd/registry/${token}`;
  }

  get memory(): readonly unknown[] {
    const waits = this.stage === 'WATCH' || this.stage === 'WATCHING';
    if (!waits) return [this.stage];
    const counted = this.#counted.map(({ key, value, createRevision }) => [
      key.slice(this.#root.length),
      value,
      createRevision,
    ]);
    return [this.stage, counted, this.#listed, this.#resume - 1n];
  }

  next(): Call | undefined {
    const key = `${this.#root}/members`;
    const end = `${this.#root}/membert`;
    switch (this.stage) {
      case 'CHECK_SIZE':
      case 'SIZE':
        return { type: 'RANGE', key: `${this.#root}/_config/size`, end: '' };
      case 'CHECK_LIST':
      case 'LIST':
        return { type: 'RANGE', key, end };
      case 'PUT':
        return { type: 'PUT', key: `${key}/${this.identity.id}`, value: valueOf(this.identity) };
      case 'WATCH':
        return { type: 'WATCH', key, end, start: this.#resume };
      case 'WATCHING':
      case 'OVER':
        return undefined;
    }
  }

  take(answer: Answer): void {
    switch (this.stage) {
      case 'CHECK_SIZE':
      case 'SIZE':
        if (answer.type === 'KVS') this.#takeSize(answer.kvs);
        break;
      case 'CHECK_LIST':
      case 'LIST':
        // After a rejected list, the node reads the size and the list again.
        if (answer.type === 'KVS') this.#takeList(answer.kvs, answer.revision);
        else this.stage = this.stage === 'LIST' ? 'SIZE' : 'CHECK_SIZE';
        break;
      case 'PUT':
        if (answer.type === 'KVS') this.stage = 'SIZE';
        break;
      case 'WATCH':
      case 'WATCHING':
        this.#takeWatched(answer);
        break;
      case 'OVER':
        break;
    }
  }

  #takeSize([kv]: readonly KeyValue[]): void {
    if (kv === undefined) return this.#end('size key not found');
    this.#size = Number(kv.value);
    this.stage = this.stage === 'SIZE' ? 'LIST' : 'CHECK_LIST';
  }

  #takeList(kvs: readonly KeyValue[], revision: bigint): void {
    this.#counted = [];
    for (const kv of kvs) this.#count(kv);
    const own = this.#counted.findIndex(({ key }) => key === `${this.#root}/members/${this.identity.id}`);
    if (own < 0 ? this.#counted.length >= this.#size : own >= this.#size) return this.#end('full');
    if (this.stage === 'CHECK_LIST') {
      this.stage = 'PUT';
      return undefined;
    }
    this.#listed = revision;
    this.#resume = revision + 1n;
    this.stage = 'WATCH';
    return this.#leaveIfAll();
  }

  #takeWatched(answer: Answer): void {
    switch (answer.type) {
      case 'CREATED':
        // The header is irrelevant to a watch with a start revision.
        this.stage = 'WATCHING';
        break;
      case 'EVENTS':
        this.#resume = (answer.events.at(-1)?.modRevision ?? answer.revision) + 1n;
        for (const event of answer.events) this.#count(event);
        this.#leaveIfAll();
        break;
      case 'BROKEN':
        this.stage = 'WATCH';
        break;
      case 'CANCELED':
      case 'REFUSED':
        this.#resume = this.#listed + 1n;
        this.stage = 'WATCH';
        break;
      case 'HTTP':
      case 'KVS':
        throw new TypeError('not a response to a watch');
    }
  }

  #count({ key, value, createRevision }: KeyValue): void {
    if (!value.includes('=') || this.#counted.some((each) => each.key === key)) return;
    this.#counted.push({ key, value, createRevision });
    this.#counted.sort((a, b) => Number(a.createRevision - b.createRevision));
  }

  #leaveIfAll(): void {
    if (this.#counted.length < this.#size) return;
    this.stage = 'OVER';
    this.outcome = { type: 'LEFT', members: this.#counted.slice(0, this.#size).map(({ value }) => value) };
  }

  #end(why: string): void {
    this.stage = 'OVER';
    this.outcome = { type: 'ENDED', why, isCrash: false };
  }
}
