import type { Database, Key, RangeOptions, Transaction } from 'lmdb';
import { damagedRecord } from './check/refusals.ts';
import { seal, unseal } from './seal.ts';

/** Packer encodes records as lmdb encodes its own. */
export interface Packer {
  encode(value: unknown): Uint8Array;
  decode(packed: Uint8Array): unknown;
}

export interface RecordEntry<K> {
  readonly key: K;
  /** Throws if the record is damaged. */
  readonly read: () => unknown;
}

/** Form is the format of records: those of older formats have no checksum. */
export type Form = 'SEALED' | 'BARE';

interface At {
  readonly transaction?: Transaction;
}

/** RecordTable is a database whose records have checksums, which are verified at every read. */
export class RecordTable<K extends Key, Written extends readonly unknown[]> {
  readonly #database: Database<Buffer, K>;
  readonly #packer: Packer;
  readonly #nameOf: (key: K) => string;
  readonly #form: Form;

  /** `nameOf` returns a name that is unique among the keys of all tables. */
  constructor(database: Database<Buffer, K>, packer: Packer, nameOf: (key: K) => string, form: Form) {
    this.#database = database;
    this.#packer = packer;
    this.#nameOf = nameOf;
    this.#form = form;
  }

  /** Throws if the record is damaged. */
  get(key: K, at: At = {}): unknown {
    const stored = this.#database.get(key, at);
    return stored === undefined ? undefined : this.#open(key, stored);
  }

  /** Must run within a transaction. */
  put(key: K, record: Written): void {
    void this.#database.put(key, seal(this.#nameOf(key), this.#packer.encode(record)));
  }

  remove(key: K): void {
    void this.#database.remove(key);
  }

  getRange(options: RangeOptions = {}): Iterable<RecordEntry<K>> {
    return this.#database
      .getRange(options)
      .map(({ key, value }) => ({ key, read: () => this.#open(key, value) }));
  }

  getKeys(options: RangeOptions = {}): Iterable<K> {
    return this.#database.getKeys(options);
  }

  count(): number {
    return (this.#database.getStats() as { entryCount: number }).entryCount;
  }

  /** For operations on pages. */
  get database(): Database<Buffer, K> {
    return this.#database;
  }

  #open(key: K, stored: Buffer): unknown {
    const body = this.#form === 'SEALED' ? unseal(this.#nameOf(key), stored) : stored;
    try {
      return this.#packer.decode(body);
    } catch (error) {
      throw damagedRecord('a record cannot be decoded', error);
    }
  }
}
