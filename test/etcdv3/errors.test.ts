import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { reasonOf, refusalOf } from '../../src/client/refusal.ts';
import { DiscoveryError, type Reason } from '../../src/discovery/errors.ts';
import { isAway, outside, refusal, unsupported } from '../../src/etcdv3/errors.ts';
import { connectError } from '../../src/rpc/errors.ts';

const REASONS = Object.entries(ErrorReason).filter(([name]) => name !== 'UNSPECIFIED');

function thrown(reason: ErrorReason, code = Code.AlreadyExists): ConnectError {
  const value = create(ErrorDetailSchema, { reason, revision: 7n });
  return new ConnectError('message for people', code, undefined, [{ desc: ErrorDetailSchema, value }]);
}

/** Returns a rejection of the service, with the API's code. */
const refused = (reason: string): ConnectError =>
  connectError(new DiscoveryError(reason as Reason, 'message for people', {}));

test("a rejection keeps its message and the API's code, except AlreadyExists", () => {
  const existing = ['TOKEN_EXISTS', 'MEMBER_EXISTS', 'NAME_TAKEN', 'PEER_URL_TAKEN'];
  for (const [name] of REASONS) {
    const [error, mapped] = [refused(name), refusal(refused(name))];
    assert.equal(reasonOf(error), name);
    assert.equal(error.code === Code.AlreadyExists, existing.includes(name), name);
    assert.equal(mapped.code, existing.includes(name) ? Code.FailedPrecondition : error.code, name);
    assert.equal(mapped.rawMessage, 'message for people');
  }
});

test('only errors worth a retry are Unavailable', () => {
  const away = REASONS.filter(([name]) => refusal(refused(name)).code === Code.Unavailable);
  assert.deepEqual(away.map(([name]) => name).sort(), ['SHUTTING_DOWN', 'STORE_UNAVAILABLE']);
  assert.deepEqual(
    REASONS.filter(([name]) => isAway(refused(name))),
    away,
  );
});

test('a defect does not reveal its message', () => {
  const mapped = refusal(new TypeError('internal secret'));
  assert.equal(mapped.code, Code.Internal);
  assert.doesNotMatch(mapped.rawMessage, /secret/);
  assert.equal(reasonOf(new TypeError('x')), undefined);
  assert.equal(refusalOf(new TypeError('x')), undefined);
});

test('an error of the gateway itself passes unchanged', () => {
  assert.equal(refusal(outside()).code, Code.PermissionDenied);
  assert.equal(refusal(outside()).rawMessage, outside().rawMessage);
  assert.equal(refusal(unsupported('x')).code, Code.Unimplemented);
});

test('an unknown reason is not an internal error', () => {
  assert.equal(reasonOf(thrown(99 as ErrorReason)), undefined);
  assert.equal(refusal(thrown(99 as ErrorReason, Code.NotFound)).code, Code.NotFound);
});

test('an unsupported feature is named, with an alternative', () => {
  assert.equal(unsupported('a lease').rawMessage, 'a lease is not supported by this discovery service');
  assert.equal(
    unsupported('a lease', 'omit it').rawMessage,
    'a lease is not supported by this discovery service; omit it',
  );
});
