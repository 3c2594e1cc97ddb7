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
import { contains, memberKey, type Place, type Span, textOf } from './keys.ts';
import { byKey, type Entry, memberEntry, sizeEntry } from './kvs.ts';

/** What an entry takes, in its list and in its orders. */
const ENTRY_BYTES = 600;

type Order = Pick<RangeRequest, 'sortOrder' | 'sortTarget'>;

/** Entries by their keys, and in every other order that was asked for: each is sorted once. */
export class Listing {
  readonly entries: readonly Entry[];
  readonly #orders = new Map<string, readonly Entry[]>();

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  find(key: string): KeyValue | undefined {
    const entry = this.entries[this.#placeOf(key)];
    return entry?.key === key ? entry.kv : undefined;
  }

  /** How many entries a span has. */
  countOf({ from, to }: Span): number {
    return Math.max(0, this.#placeOf(to) - this.#placeOf(from));
  }

  /** Those of a span, in an order that there is. The keys come in their own order among equals. */
  within(span: Span, order: Order): Iterable<Entry> {
    const [begin, end] = [this.#placeOf(span.from), this.#placeOf(span.to)];
    if (isByKey(order)) return this.entries.slice(begin, end);
    const all = this.#ordered(order);
    return end - begin === all.length ? all : inside(all, span);
  }

  #ordered({ sortOrder, sortTarget }: Order): readonly Entry[] {
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

  /** Where a key stands or would stand. */
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

/** One after the other, as who asks for few of them looks at no others. */
function* inside(entries: readonly Entry[], span: Span): Generator<Entry> {
  for (const entry of entries) if (contains(span, entry.key)) yield entry;
}

export function isOrder({ sortOrder, sortTarget }: Order): boolean {
  return SORT_ORDERS.has(sortOrder) && SORT_VALUES.has(sortTarget);
}

/** etcd takes a target without an order as ascending. */
function isByKey({ sortOrder, sortTarget }: Order): boolean {
  return sortTarget === RangeRequest_SortTarget.KEY && sortOrder !== RangeRequest_SortOrder.DESCEND;
}

const SORT_ORDERS = new Set<RangeRequest_SortOrder>([
  RangeRequest_SortOrder.NONE,
  RangeRequest_SortOrder.ASCEND,
  RangeRequest_SortOrder.DESCEND,
]);

const SORT_VALUES = new Map<RangeRequest_SortTarget, (entry: Entry) => bigint | string>([
  [RangeRequest_SortTarget.KEY, ({ key }) => key],
  [RangeRequest_SortTarget.VERSION, ({ kv }) => kv.version],
  [RangeRequest_SortTarget.CREATE, ({ kv }) => kv.createRevision],
  [RangeRequest_SortTarget.MOD, ({ kv }) => kv.modRevision],
  [RangeRequest_SortTarget.VALUE, ({ kv }) => textOf(kv.value)],
]);

// A service in the same process answers with the same list as long as a cluster is as it was: what is made of it serves
// every answer, and nobody may change that. Under another spelling of its token it is made anew.
const listings = new ByteCache<{ readonly root: string; readonly listing: Listing }>(
  (WORK_LIMITS.renderedBytes / 4) * 3,
);

/** Every key of a token. `onMade` is told of how many when they had to be made. */
export function listingOf(place: Place, list: ListMembersResponse, onMade: (keys: number) => void): Listing {
  const known = listings.get(list.members);
  if (known?.root === place.root) return known.listing;
  const members = [...list.members, ...list.standbys].map((member) => sharedEntry(place, member));
  const listing = new Listing([sizeEntry(place, requireMessage(list.cluster)), ...members].sort(byKey));
  const bytes = listing.entries.length * ENTRY_BYTES;
  listings.set(list.members, { value: { root: place.root, listing }, bytes });
  onMade(listing.entries.length);
  return listing;
}

const entriesOfMembers = new WeakMap<Member, Entry>();

/** The entry of a member as it was made for the list before, most of which is as it was. */
function sharedEntry(place: Place, member: Member): Entry {
  const known = entriesOfMembers.get(member);
  if (known?.key === memberKey(place, member.id)) return known;
  const made = memberEntry(place, member);
  entriesOfMembers.set(member, made);
  return made;
}
