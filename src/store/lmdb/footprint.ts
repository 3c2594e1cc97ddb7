import type { Event } from '../../discovery/change.ts';
import type { Cluster, Member } from '../../discovery/types.ts';
import type { CachedCluster } from './cache.ts';

/** The most that a transaction writes. */
export interface Footprint {
  /** Of trees: LMDB writes anew each page that it changes, and those above it. */
  readonly pages: number;
  /** Of records. */
  readonly bytes: number;
  /** Whether it leaves more in the store than was there. Deletions do not, and are done in the reserve. */
  readonly grows: boolean;
}

export interface Changed {
  readonly before: CachedCluster | undefined;
  readonly after: CachedCluster | undefined;
  readonly events: readonly Event[];
  readonly dropped: readonly number[];
}

/** Nothing, by who would write something: to see whether it could be. */
export const NOTHING_YET: Footprint = { pages: 0, bytes: 0, grows: true };

/** All that is there, once again. */
export const EVERYTHING: Footprint = { pages: Number.MAX_SAFE_INTEGER, bytes: 0, grows: true };

/** In four trees, a few levels and a split each; those above are shared by all changes. */
const PAGES_EACH = 13;
/** Numbers, times and keys beside the texts. */
const RECORD_BYTES = 512;

/** Of the clusters that change in one transaction. */
export function footprintOf(changes: Iterable<Changed>): Footprint {
  let pages = 0;
  let bytes = 0;
  let grows = false;
  for (const { before, after, events, dropped } of changes) {
    // The events of one token are beside each other.
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

/** A character has three bytes at most: one of two units of UTF-16 has four. */
function membersBytes(members: readonly Member[]): number {
  let bytes = 0;
  for (const { id, name, peerUrls, discoveryText = '' } of members) {
    bytes += 128 + 3 * (id.length + name.length + discoveryText.length);
    for (const url of peerUrls) bytes += 8 + 3 * url.length;
  }
  return bytes;
}
