import { setTimeout as sleep } from 'node:timers/promises';
import type { Revision } from '../../discovery/types.ts';
import { type ByteCount, entryBytes } from './byte-count.ts';
import type { Keys } from './log/keys.ts';
import type { EtcdReader } from './read.ts';

/** Keys read at once: 15 MB for the largest, usually a tenth of one. */
const PAGE_KEYS = 500;
const RETRY_MS = 2000;

interface Reading {
  readonly reader: Pick<EtcdReader, 'slices'>;
  readonly keys: Keys;
  readonly bytes: ByteCount;
  readonly signal: AbortSignal;
  /** Returns the revision up to which the watch has reported every change. */
  readonly told: () => Revision;
}

/**
 * Reads the bytes of all tokens at one revision, page by page. Starts again after an outage of etcd, or if
 * that revision was compacted in the meantime. Ends when the signal aborts.
 */
export async function readBytes({ reader, keys, bytes, signal, told }: Reading): Promise<void> {
  while (!signal.aborted) {
    const at = told();
    bytes.begin(at);
    try {
      const slices = reader.slices(keys.clusters, {
        request: { revision: String(at) },
        fence: (key, tokens) => keys.clusterFence(key, tokens),
      });
      while (slices.more) {
        const kvs = await slices.next(PAGE_KEYS);
        if (signal.aborted) return;
        for (const kv of kvs) bytes.read(entryBytes(kv));
      }
      return;
    } catch {
      await sleep(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
