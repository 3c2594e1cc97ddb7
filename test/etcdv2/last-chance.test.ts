import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLastChance } from '../../src/etcdv2/last-chance.ts';

const ROWS: readonly (readonly [method: string, target: string, is: boolean])[] = [
  ['PUT', '/my-cluster/1?prevExist=false', true],
  ['PUT', '/new-cluster/1?prevExist=false', true],
  ['PUT', '/v2/keys/_etcd/registry/my-cluster/1', true],
  ['GET', '/my-cluster/1?wait=true&waitIndex=7', true],
  ['PUT', '/new', false],
  ['PUT', '/new?size=3', false],
  ['PUT', '/new/?size=3', false],
  ['GET', '/my-cluster?wait=true&recursive=true', false],
  ['GET', '/my-cluster', false],
];

test('a node gives up only when its registration or the wait for itself is rejected', () => {
  for (const [method, target, is] of ROWS)
    assert.equal(isLastChance(method, target), is, `${method} ${target}`);
});
