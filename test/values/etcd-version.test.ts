import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBeforeGrpc, parseEtcdVersion } from '../../src/values/etcd-version.ts';

for (const [body, version, isOld] of [
  ['{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}', '2.3.8', true],
  ['{"etcdcluster":"3.4.0", "etcdserver": "3.4.23"}\n', '3.4.23', false],
  ['etcd 2.0.13', '2.0.13', true],
  ['etcd 0.4.6', '0.4.6', true],
] as const) {
  test(`reads the version from ${JSON.stringify(body)}`, () => {
    assert.equal(parseEtcdVersion(body), version);
    assert.equal(isBeforeGrpc(version), isOld);
  });
}

for (const body of ['', '404 page not found', '<html>etcd 2.0.1</html>', '{"version":"2.3.8"}']) {
  test(`finds no version in ${JSON.stringify(body)}`, () => {
    assert.equal(parseEtcdVersion(body), undefined);
  });
}
