import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { detailOf, isAway, outside, reasonOf, refusal, unsupported } from '../../src/etcdv3/errors.ts';

const REASONS = Object.entries(ErrorReason).filter(([name]) => name !== 'UNSPECIFIED');

function thrown(reason: ErrorReason, code = Code.AlreadyExists): ConnectError {
  const value = create(ErrorDetailSchema, { reason, revision: 7n });
  return new ConnectError('words for a person', code, undefined, [{ desc: ErrorDetailSchema, value }]);
}

test('every reason has a code, and keeps its words', () => {
  for (const [name, reason] of REASONS) {
    const refused = refusal(thrown(reason));
    assert.equal(reasonOf(thrown(reason)), name);
    assert.ok(refused.code >= Code.Canceled && refused.code <= Code.Unauthenticated, name);
    assert.equal(refused.rawMessage, 'words for a person');
  }
});

test('only what is worth calling again is unavailable', () => {
  const away = REASONS.filter(([, reason]) => refusal(thrown(reason)).code === Code.Unavailable);
  assert.deepEqual(away.map(([name]) => name).sort(), ['SHUTTING_DOWN', 'STORE_UNAVAILABLE']);
  assert.deepEqual(
    REASONS.filter(([, reason]) => isAway(thrown(reason))),
    away,
  );
});

test('a defect keeps its words to itself', () => {
  const refused = refusal(new TypeError('secret of the inside'));
  assert.equal(refused.code, Code.Internal);
  assert.doesNotMatch(refused.rawMessage, /secret/);
  assert.equal(reasonOf(new TypeError('x')), undefined);
  assert.equal(detailOf(new TypeError('x')), undefined);
});

test('a refusal of the gateway itself passes as it is', () => {
  assert.equal(refusal(outside()).code, Code.PermissionDenied);
  assert.equal(refusal(outside()).rawMessage, outside().rawMessage);
  assert.equal(refusal(unsupported('x')).code, Code.Unimplemented);
});

test('a reason that is not known yet is one of nobody', () => {
  assert.equal(reasonOf(thrown(99 as ErrorReason)), undefined);
  assert.equal(refusal(thrown(99 as ErrorReason, Code.NotFound)).code, Code.NotFound);
});

test('the words of a refusal say what to do in its place', () => {
  assert.equal(unsupported('a lease').rawMessage, 'a lease is not supported by this discovery service');
  assert.equal(
    unsupported('a lease', 'leave it out').rawMessage,
    'a lease is not supported by this discovery service; leave it out',
  );
});
