import { setTimeout as sleep } from 'node:timers/promises';
import type { Revision } from '../../discovery/types.ts';
import { type ByteCount, entryBytes } from './byte-count.ts';
import type { Keys } from './log/keys.ts';
import type { Reader } from './read.ts';

/** Keys read at once: 15 MB of the largest, and a tenth of one of most. */
const PAGE_KEYS = 500;
const RETRY_MS = 2000;

interface Reading {
  readonly reader: Pick<Reader, 'range'>;
  readonly keys: Keys;
  readonly bytes: ByteCount;
  readonly signal: AbortSignal;
  /** The revision up to which the watch has told all. */
  readonly told: () => Revision;
}

/**
 * Reads what all tokens take, as they were at one revision, a page at a time; begins again where etcd was away, or has
 * compacted that revision meanwhile. Ends by the signal, too.
 */
export async function readBytes({ reader, keys, bytes, signal, told }: Reading): Promise<void> {
  while (!signal.aborted) {
    const at = told();
    bytes.begin(at);
    try {
      let { key } = keys.clusters;
      for (let more = true; more && !signal.aborted; ) {
        const from = key;
        const page = await reader.range(() => ({
          ...keys.clusters,
          key: from,
          revision: String(at),
          limit: PAGE_KEYS,
        }));
        if (signal.aborted) return;
        for (const kv of page.kvs) bytes.read(entryBytes(kv));
        const last = page.kvs.at(-1);
        more = page.more && last !== undefined;
        if (last !== undefined) key = Buffer.concat([last.key, Buffer.alloc(1)]);
      }
      return;
    } catch {
      await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
