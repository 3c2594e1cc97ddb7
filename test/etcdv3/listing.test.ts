import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { ClusterSchema, type Member, MemberSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import { type ListMembersResponse, ListMembersResponseSchema } from '../../gen/discovery/v1/service_pb.ts';
import {
  RangeRequest_SortOrder as Order,
  RangeRequest_SortTarget as Target,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { contains, wholeSpan } from '../../src/etcdv3/keys.ts';
import { byKey, type KeyEntry } from '../../src/etcdv3/kvs.ts';
import { KeyListing, listingOf } from '../../src/etcdv3/listing.ts';
import { seed } from '../etcdv2/seed.ts';
import { REGISTRY } from './etcd.ts';

const place = { token: 't', root: `${REGISTRY}t` };

function listOf(members: readonly Member[]): ListMembersResponse {
  const cluster = create(ClusterSchema, { token: 't', size: 3, createRevision: 1n, modRevision: 9n });
  return create(ListMembersResponseSchema, { cluster, members: [...members], revision: 9n });
}

function member(id: string, createRevision = 2n): Member {
  return create(MemberSchema, {
    id,
    name: `n${id}`,
    peerUrls: [`http://${id}:1`],
    createRevision,
    version: 1n,
  });
}

/** Enough members that their list is kept. */
const crowd = (): Member[] => Array.from({ length: 60 }, (_, i) => member(`m${i}`));

const keysOf = (entries: Iterable<KeyEntry>): string[] => Array.from(entries, ({ key }) => key);

suite('the keys of a token', () => {
  test('are built once for a large list, and every order of them is sorted once', () => {
    const list = listOf(crowd());
    const made: number[] = [];
    const listing = listingOf(place, list, (keys) => made.push(keys));
    assert.equal(
      listingOf(place, list, (keys) => made.push(keys)),
      listing,
    );
    assert.deepEqual(made, [61]);
    const order = { sortOrder: Order.DESCEND, sortTarget: Target.VALUE };
    assert.equal(listing.within(wholeSpan(place), order), listing.within(wholeSpan(place), order));
  });

  test('are built again for another list, which shares unchanged members', () => {
    const [a, b] = [member('a'), member('b')];
    const before = listingOf(place, listOf([a]), () => {});
    const after = listingOf(place, listOf([a, b]), () => {});
    assert.equal(after.entries.length, 3);
    assert.equal(after.find(`${REGISTRY}t/members/a`), before.find(`${REGISTRY}t/members/a`));
  });

  test('are spelled as in the request, whatever was requested before', () => {
    const list = listOf(crowd());
    const other = { token: 't', root: `${REGISTRY}http:/host/t` };
    for (const each of [place, other, place]) {
      const listing = listingOf(each, list, () => {});
      for (const { key, kv } of listing.entries) {
        assert.ok(key.startsWith(each.root));
        assert.equal(Buffer.from(kv.key).toString('latin1'), key);
      }
    }
  });
});

test('a span has its keys in every order, and counts and finds them', () => {
  const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'c') });
  const orders = fc.record({
    sortOrder: fc.constantFrom(Order.NONE, Order.ASCEND, Order.DESCEND),
    sortTarget: fc.constantFrom(Target.KEY, Target.VERSION, Target.CREATE, Target.MOD, Target.VALUE),
  });
  fc.assert(
    fc.property(fc.uniqueArray(key), key, key, orders, (ids, from, to, order) => {
      const entries = ids.map((id, index): KeyEntry => {
        const made = listingOf(place, listOf([member('x', BigInt(index % 2))]), () => {}).entries.at(-1);
        assert.ok(made !== undefined);
        return { key: id, kv: made.kv };
      });
      const listing = new KeyListing(entries.toSorted(byKey));
      const span = { ...place, from, to };
      const inside = ids.filter((id) => contains(span, id)).sort();
      const found = keysOf(listing.within(span, order));
      assert.deepEqual(found.toSorted(), inside);
      assert.equal(listing.countOf(span), inside.length);
      for (const id of ids) assert.ok(listing.find(id) !== undefined);
      assert.equal(listing.find('d'), undefined);
      if (order.sortTarget !== Target.CREATE) return;
      const sign = order.sortOrder === Order.DESCEND ? -1 : 1;
      const expected = entries
        .toSorted(byKey)
        .filter((each) => contains(span, each.key))
        .sort((a, b) => sign * Number(a.kv.createRevision - b.kv.createRevision));
      assert.deepEqual(found, keysOf(expected));
    }),
    { seed },
  );
});
