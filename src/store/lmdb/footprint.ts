import type { Event } from '../../discovery/change.ts';
import type { Cluster, Member } from '../../discovery/types.ts';
import type { CachedCluster } from './cache.ts';

/** Footprint is the maximum that a transaction writes. */
export interface Footprint {
  /** Pages of trees: LMDB rewrites each page that it changes, and those above it. */
  readonly pages: number;
  /** Bytes of records. */
  readonly bytes: number;
  /** Whether the store is larger afterwards. Deletions do not grow it, and may use the reserve. */
  readonly grows: boolean;
}

export interface Changed {
  readonly before: CachedCluster | undefined;
  readonly after: CachedCluster | undefined;
  readonly events: readonly Event[];
  readonly dropped: readonly number[];
}

/** The footprint for checking whether anything can be written. */
export const NOTHING_YET: Footprint = { pages: 0, bytes: 0, grows: true };

/** The footprint of rewriting everything. */
export const EVERYTHING: Footprint = { pages: Number.MAX_SAFE_INTEGER, bytes: 0, grows: true };

/** Four trees with a few levels and a split each. Upper levels are shared by all changes. */
const PAGES_EACH = 13;
/** Numbers, times and keys besides the texts. */
const RECORD_BYTES = 512;

/** Returns the footprint of the clusters that change in one transaction. */
export function footprintOf(changes: Iterable<Changed>): Footprint {
  let pages = 0;
  let bytes = 0;
  let grows = false;
  for (const { before, after, events, dropped } of changes) {
    // The events of one token are adjacent.
    pages += PAGES_EACH + events.length + dropped.length;
    bytes += after === undefined ? 0 : clusterBytes(after.cluster);
    for (const event of events) bytes += eventBytes(event);
    grows ||= !shrinks(before?.cluster, after?.cluster);
  }
  return { pages, bytes, grows };
}

function shrinks(before: Cluster | undefined, after: Cluster | undefined): boolean {
  if (after === undefined || after.deleteTime !== undefined) return true;
  return before !== undefined && after.members.length < before.members.length;
}

function clusterBytes({ description, members }: Cluster): number {
  return RECORD_BYTES + 3 * description.length + membersBytes(members);
}

function eventBytes({ member, previous, removed = [] }: Event): number {
  const members = [member, previous].filter((each) => each !== undefined);
  return RECORD_BYTES + membersBytes(members) + membersBytes(removed);
}

/** A UTF-16 unit takes at most three bytes in UTF-8: a pair of units takes four. */
function membersBytes(members: readonly Member[]): number {
  let bytes = 0;
  for (const { id, name, peerUrls, discoveryText = '' } of members) {
    bytes += 128 + 3 * (id.length + name.length + discoveryText.length);
    for (const url of peerUrls) bytes += 8 + 3 * url.length;
  }
  return bytes;
}
