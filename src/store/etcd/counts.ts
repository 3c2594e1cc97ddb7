import type { IEvent } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';
import { ByteCount, entryBytes } from './byte-count.ts';
import type { Keys } from './log/keys.ts';
import type { Reader } from './read.ts';
import { readBytes } from './read-bytes.ts';
import { TokenCount } from './token-count.ts';

const EMPTY = Buffer.alloc(0);

/** How many tokens there are, and what they take: read in etcd, and kept by what its watch tells. */
export class Counts {
  readonly tokens: TokenCount;
  readonly bytes = new ByteCount();
  readonly #keys: Keys;
  #reading = new AbortController();

  constructor(keys: Keys, maxTokens: number) {
    this.#keys = keys;
    this.tokens = new TokenCount(maxTokens);
  }

  /** Counts the tokens. Returns the revision that the count is of. */
  async countTokens(reader: Pick<Reader, 'range'>): Promise<Revision> {
    const { count, revision: at } = await reader.range(() => ({ ...this.#keys.ends, count_only: true }));
    this.tokens.counted(count, at);
    return at;
  }

  /** Reads what they take, meanwhile, from what the watch has told on. */
  readBytes(reader: Pick<Reader, 'range'>, told: () => Revision): void {
    this.stop();
    this.#reading = new AbortController();
    void readBytes({ reader, keys: this.#keys, bytes: this.bytes, signal: this.#reading.signal, told });
  }

  /** The watch has told these, and every change up to a revision. */
  told(events: readonly IEvent[], at: Revision): void {
    let tokens = 0;
    let bytes = 0;
    for (const { type, kv, prev_kv: was } of events) {
      const key = this.#keys.parseLog(kv.key);
      if (key === undefined) continue;
      const sign = type === 'Put' ? 1 : -1;
      if (key.number === 0) tokens += sign;
      bytes += sign * entryBytes(type === 'Put' ? kv : { key: kv.key, value: was?.value ?? EMPTY });
    }
    this.tokens.told(tokens, at);
    this.bytes.told(bytes, at);
  }

  stop(): void {
    this.#reading.abort();
  }
}
