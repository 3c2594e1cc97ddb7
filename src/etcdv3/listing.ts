import type { Member } from '../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import {
  type RangeRequest,
  RangeRequest_SortOrder,
  RangeRequest_SortTarget,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { ByteCache } from '../byte-cache.ts';
import { requireMessage } from '../etcd/client.ts';
import { WORK_LIMITS } from '../limits.ts';
import { memo } from '../values/memo.ts';
import { contains, type KeyPlace, type KeySpan, memberKey, textOf } from './keys.ts';
import { byKey, type KeyEntry, memberEntry, sizeEntry } from './kvs.ts';

/** Bytes of an entry in its list and its orders. */
export const ENTRY_BYTES = 600;

type Order = Pick<RangeRequest, 'sortOrder' | 'sortTarget'>;

/** KeyListing holds entries by key, and in every other order that was requested: each is sorted once. */
export class KeyListing {
  readonly entries: readonly KeyEntry[];
  readonly #orders = new Map<string, readonly KeyEntry[]>();

  constructor(entries: readonly KeyEntry[]) {
    this.entries = entries;
  }

  find(key: string): KeyValue | undefined {
    const entry = this.entries[this.#placeOf(key)];
    return entry?.key === key ? entry.kv : undefined;
  }

  /** Returns the number of entries in a span. */
  countOf({ from, to }: KeySpan): number {
    return Math.max(0, this.#placeOf(to) - this.#placeOf(from));
  }

  /** Yields the entries of a span in a valid order. Ties are ordered by key. */
  within(span: KeySpan, order: Order): Iterable<KeyEntry> {
    const [begin, end] = [this.#placeOf(span.from), this.#placeOf(span.to)];
    if (isByKey(order)) return this.entries.slice(begin, end);
    const all = this.#ordered(order);
    return end - begin === all.length ? all : inside(all, span);
  }

  #ordered({ sortOrder, sortTarget }: Order): readonly KeyEntry[] {
    const name = `${sortTarget} ${sortOrder}`;
    let ordered = this.#orders.get(name);
    if (ordered === undefined) {
      const valueOf = SORT_VALUES.get(sortTarget) ?? (({ key }) => key);
      const sign = sortOrder === RangeRequest_SortOrder.DESCEND ? -1 : 1;
      ordered = this.entries.toSorted((a, b) => {
        const [left, right] = [valueOf(a), valueOf(b)];
        return left === right ? 0 : left < right ? -sign : sign;
      });
      this.#orders.set(name, ordered);
    }
    return ordered;
  }

  /** Returns the index of a key, or where it would be inserted. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle]?.key ?? key) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A generator, so that a small limit does not examine all entries. */
function* inside(entries: readonly KeyEntry[], span: KeySpan): Generator<KeyEntry> {
  for (const entry of entries) if (contains(span, entry.key)) yield entry;
}

export function isOrder({ sortOrder, sortTarget }: Order): boolean {
  return SORT_ORDERS.has(sortOrder) && SORT_VALUES.has(sortTarget);
}

/** etcd treats a target without an order as ascending. */
function isByKey({ sortOrder, sortTarget }: Order): boolean {
  return sortTarget === RangeRequest_SortTarget.KEY && sortOrder !== RangeRequest_SortOrder.DESCEND;
}

const SORT_ORDERS = new Set<RangeRequest_SortOrder>([
  RangeRequest_SortOrder.NONE,
  RangeRequest_SortOrder.ASCEND,
  RangeRequest_SortOrder.DESCEND,
]);

const SORT_VALUES = new Map<RangeRequest_SortTarget, (entry: KeyEntry) => bigint | string>([
  [RangeRequest_SortTarget.KEY, ({ key }) => key],
  [RangeRequest_SortTarget.VERSION, ({ kv }) => kv.version],
  [RangeRequest_SortTarget.CREATE, ({ kv }) => kv.createRevision],
  [RangeRequest_SortTarget.MOD, ({ kv }) => kv.modRevision],
  [RangeRequest_SortTarget.VALUE, ({ kv }) => textOf(kv.value)],
]);

// A service in the same process returns the same list as long as a cluster is unchanged: a listing of it
// serves every response and must not be modified. Another spelling of its token needs a new one.
const listings = new ByteCache<{ readonly root: string; readonly listing: KeyListing }>(
  (WORK_LIMITS.renderedBytes / 8) * 5,
);

/** Returns the listing of all keys of a token. `onMade` gets their number if it had to be built. */
export function listingOf(
  place: KeyPlace,
  list: ListMembersResponse,
  onMade: (keys: number) => void,
): KeyListing {
  const known = listings.get(list.members);
  if (known?.root === place.root) return known.listing;
  const members = [...list.members, ...list.standbys].map((member) => sharedEntry(place, member));
  const listing = new KeyListing([sizeEntry(place, requireMessage(list.cluster)), ...members].sort(byKey));
  const bytes = listing.entries.length * ENTRY_BYTES;
  listings.set(list.members, { value: { root: place.root, listing }, bytes });
  onMade(listing.entries.length);
  return listing;
}

const entriesOfMembers = memo<Member, KeyEntry>();

/** Reuses the entry of a member from the previous list, most of which is unchanged. */
function sharedEntry(place: KeyPlace, member: Member): KeyEntry {
  const known = entriesOfMembers.get(member);
  if (known?.key === memberKey(place, member.id)) return known;
  const made = memberEntry(place, member);
  entriesOfMembers.set(member, made);
  return made;
}
