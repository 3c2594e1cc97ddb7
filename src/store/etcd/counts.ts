import type { IEvent } from 'etcd3';
import type { Revision } from '../../discovery/types.ts';
import { ByteCount, entryBytes } from './byte-count.ts';
import type { Keys } from './log/keys.ts';
import type { EtcdReader } from './read.ts';
import { readBytes } from './read-bytes.ts';
import { TokenCount } from './token-count.ts';

const EMPTY = Buffer.alloc(0);

/** Counts holds the number of tokens and their bytes: read from etcd once, then updated by the watch. */
export class Counts {
  readonly tokens: TokenCount;
  readonly bytes = new ByteCount();
  readonly #keys: Keys;
  #reading = new AbortController();

  constructor(keys: Keys, maxTokens: number) {
    this.#keys = keys;
    this.tokens = new TokenCount(maxTokens);
  }

  /** Counts the tokens. Returns the revision of the count. */
  async countTokens(reader: Pick<EtcdReader, 'count'>): Promise<Revision> {
    const { counts, revision: at } = await reader.count(this.#keys.ends);
    this.tokens.counted(counts[0] ?? 0, at);
    return at;
  }

  /** Reads their bytes in the background, consistent with what the watch has reported. */
  readBytes(reader: Pick<EtcdReader, 'slices'>, told: () => Revision): void {
    this.stop();
    this.#reading = new AbortController();
    void readBytes({ reader, keys: this.#keys, bytes: this.bytes, signal: this.#reading.signal, told });
  }

  /** Records events of the watch, which has now reported every change up to a revision. */
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
