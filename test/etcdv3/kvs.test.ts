import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import {
  ClusterSchema,
  type Member,
  MemberEventSchema,
  MemberEventType,
  MemberSchema,
} from '../../gen/discovery/v1/cluster_pb.ts';
import { Event_EventType } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { parseValue } from '../../src/etcd/value.ts';
import { parseKey } from '../../src/etcdv3/keys.ts';
import { byKey, changesOf, eventOf, madeChange, memberEntry, sizeEntry } from '../../src/etcdv3/kvs.ts';
import { seed } from '../etcdv2/seed.ts';
import { anyGrapheme } from '../support/any-character.ts';
import { plain, REGISTRY } from './etcd.ts';

const place = { token: 't', root: `${REGISTRY}t` };
const cluster = create(ClusterSchema, { token: 't', size: 3, createRevision: 5n, modRevision: 9n });

function member(id: string, more: MessageInitShape<typeof MemberSchema> = {}): Member {
  return create(MemberSchema, {
    id,
    name: `n${id}`,
    peerUrls: [`http://${id}:2380`],
    createRevision: 6n,
    modRevision: 6n,
    version: 1n,
    ...more,
  });
}

suite('entries', () => {
  test('the size key has the revision at which the token was created', () => {
    assert.deepEqual(plain(sizeEntry(place, cluster).kv), {
      key: '/_etcd/registry/t/_config/size',
      value: '3',
      createRevision: 5,
      modRevision: 5,
      version: 1,
    });
  });

  test('a member is the same when parsed from its key and value', () => {
    const words = fc.stringMatching(/^[A-Za-z0-9.~-][A-Za-z0-9._~-]{0,9}$/);
    const name = fc.string({ unit: anyGrapheme, minLength: 1, maxLength: 8 }).filter((s) => !/[,=]/.test(s));
    const urls = fc.uniqueArray(
      words.map((host) => `http://${host}:2380`),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(words, name, urls, (id, name, peerUrls) => {
        const { key, kv } = memberEntry(place, member(id, { name, peerUrls }));
        assert.equal(Buffer.from(kv.key).toString('latin1'), key);
        assert.deepEqual(parseKey(kv.key), { type: 'MEMBER', ...place, id });
        assert.deepEqual(parseValue(Buffer.from(kv.value).toString()), { name, peerUrls });
      }),
      { seed, numRuns: 500 },
    );
  });

  test('are sorted by their bytes', () => {
    const ids = ['a', 'Z', '~', '0', 'a.', 'a-', '_'];
    const keys = ids.map((id) => memberEntry(place, member(id))).sort(byKey);
    const sorted = keys.map(({ kv }) => Buffer.from(kv.key)).sort((a, b) => Buffer.compare(a, b));
    assert.deepEqual(
      keys.map(({ key }) => key),
      sorted.map((key) => key.toString('latin1')),
    );
  });
});

suite('changes', () => {
  const event = (type: MemberEventType, fields: object): ReturnType<typeof changesOf> =>
    changesOf(place, cluster, create(MemberEventSchema, { type, revision: 9n, ...fields }));
  const said = (changes: ReturnType<typeof changesOf>, prevKv = true): unknown =>
    changes.map((change) => plain(eventOf(change, 9n, { prevKv })));
  const kvOf = (of: Member): unknown => plain(memberEntry(place, of).kv);

  test('the creation of a token is a put of the size key', () => {
    assert.deepEqual(plain(eventOf(madeChange(place, cluster), 5n, { prevKv: true })), {
      kv: plain(sizeEntry(place, cluster).kv),
    });
  });

  test('a registration is a put', () => {
    const now = member('a');
    assert.deepEqual(said(event(MemberEventType.REGISTERED, { member: now })), [{ kv: kvOf(now) }]);
  });

  test('a replacement is a put, with the previous value on request', () => {
    const now = member('a', { name: 'b', modRevision: 9n, version: 2n });
    const changes = event(MemberEventType.REPLACED, { member: now, previous: member('a') });
    assert.deepEqual(said(changes), [{ kv: kvOf(now), prevKv: kvOf(member('a')) }]);
    assert.deepEqual(said(changes, false), [{ kv: kvOf(now) }]);
  });

  test('a deregistration is a deletion: the key and the revision, with the previous value on request', () => {
    const changes = event(MemberEventType.DEREGISTERED, { member: member('a') });
    const kv = { key: '/_etcd/registry/t/members/a', modRevision: 9 };
    const type = Event_EventType.DELETE;
    assert.deepEqual(said(changes), [{ type, kv, prevKv: kvOf(member('a')) }]);
    assert.deepEqual(said(changes, false), [{ type, kv }]);
  });

  test('a deleted token is a deletion of every key, in their order', () => {
    const changes = event(MemberEventType.TOKEN_DELETED, { removedMembers: [member('b'), member('a')] });
    assert.deepEqual(
      changes.map(({ key, now }) => [key, now]),
      ['_config/size', 'members/a', 'members/b'].map((key) => [`${REGISTRY}t/${key}`, undefined]),
    );
    assert.deepEqual(
      changes.map(({ before }) => plain(before)),
      [plain(sizeEntry(place, cluster).kv), kvOf(member('a')), kvOf(member('b'))],
    );
  });

  test('an event of an unknown kind changes no key', () => {
    assert.deepEqual(event(99 as MemberEventType, {}), []);
  });

  test('the end of a cluster is built once for all its watches, per spelling of its token', () => {
    const end = create(MemberEventSchema, {
      type: MemberEventType.TOKEN_DELETED,
      // Enough members that their keys are kept.
      removedMembers: Array.from({ length: 60 }, (_, index) => member(`m${index}`)),
    });
    const other = { token: 't', root: `${REGISTRY}http:/host/t` };
    const changes = changesOf(place, cluster, end);
    assert.equal(changesOf(place, cluster, end), changes);
    for (const { key } of changesOf(other, cluster, end)) assert.ok(key.startsWith(`${other.root}/`));
    assert.deepEqual(changesOf(place, cluster, end), changes);
  });
});
