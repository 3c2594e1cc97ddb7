import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, type Change } from '../../../src/discovery/change.ts';
import { decideDelete, decideRegister } from '../../../src/discovery/decide.ts';
import { type Revision, revision, type Token } from '../../../src/discovery/types.ts';
import { Cache, WEIGHT_KEPT, weightOf } from '../../../src/store/etcd/cache.ts';
import { type ClusterRecord, made, next } from '../../../src/store/etcd/log/cluster-log.ts';
import { at, create, node, size, token, urls } from '../support/commands.ts';

const MEMBERS = 1000;
const URLS = 4;

/** Returns the largest possible cluster, before and after it was deleted. */
function largestCluster(of: Token): { record: ClusterRecord; deleted: ClusterRecord } {
  const { allowRejoin, ...command } = create(of, size(MEMBERS));
  let latest = 1;
  const nextRevision = (): Revision => revision((latest += 1));
  const times = { time: at(0), expireTime: at(command.ttl) };
  const making: Change = { type: 'CREATED', description: '' as never, allowRejoin, ...command, ...times };
  let record = made(apply(undefined, making, nextRevision()).cluster);
  const change = (to: Change): ClusterRecord => {
    const { cluster, event } = apply(record.cluster, to, nextRevision());
    assert.ok(event);
    return next(record, cluster, event);
  };
  for (let i = 0; i < MEMBERS; i++) {
    const peerUrls = urls(...Array.from({ length: URLS }, (_, j) => `http://${i}.example:${j + 1}`));
    record = change(decideRegister(record.cluster, node(i, { peerUrls }), at(0)) as Change);
  }
  return { record, deleted: change(decideDelete(record.cluster, at(0)) as Change) };
}

for (const state of ['record', 'deleted'] as const) {
  test(`the cache is bounded by its contents, peer URLs included (${state})`, () => {
    const cache = new Cache();
    const { [state]: record } = largestCluster(token());
    const most = Math.floor(WEIGHT_KEPT / weightOf(record));
    const tokens = Array.from({ length: 2 * most }, () => token());
    for (const t of tokens) cache.put(t, record);
    const kept = tokens.filter((t) => cache.get(t) !== undefined);
    assert.ok(kept.length > 0 && kept.length <= most, `${kept.length} are kept`);
    assert.deepEqual(kept, tokens.slice(-kept.length), 'the latest ones');
    for (const t of kept) cache.delete(t);
    for (const t of tokens) cache.put(t, record);
    assert.equal(tokens.filter((t) => cache.get(t) !== undefined).length, kept.length, 'as many as before');
  });
}
