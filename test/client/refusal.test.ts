import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import { RetryInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { reasonOf, refusalOf, retryAfterOf } from '../../src/client/refusal.ts';
import { isTransient } from '../../src/client/transient.ts';
import { isDefect as isDefectOfV2, v2ReasonOf } from '../../src/etcdv2/refusal.ts';
import { isV3Defect as isDefectOfV3, outside } from '../../src/etcdv3/errors.ts';

function refused(reason: ErrorReason, retryAfterMs?: number): ConnectError {
  const detail = { desc: ErrorDetailSchema, value: create(ErrorDetailSchema, { reason, revision: 7n }) };
  const details =
    retryAfterMs === undefined ? [] : [{ desc: RetryInfoSchema, value: retryInfo(retryAfterMs) }];
  return new ConnectError('words', Code.ResourceExhausted, undefined, [detail, ...details]);
}

const retryInfo = (ms: number) => create(RetryInfoSchema, { retryDelay: durationFromMs(ms) });

test('a rejection has its detail, its reason by name, and its retry delay', () => {
  const error = refused(ErrorReason.TOO_MANY_REQUESTS, 1500);
  assert.equal(refusalOf(error)?.revision, 7n);
  assert.equal(reasonOf(error), 'TOO_MANY_REQUESTS');
  assert.equal(retryAfterOf(error), 1500);
  assert.equal(retryAfterOf(refused(ErrorReason.TOKEN_EXPIRED)), undefined);
});

test('other errors have none of them, and a reason from a newer service has no name', () => {
  for (const thrown of [new TypeError('x'), 'x', undefined, new ConnectError('x', Code.Unavailable)]) {
    assert.equal(refusalOf(thrown), undefined);
    assert.equal(reasonOf(thrown), undefined);
    assert.equal(retryAfterOf(thrown), undefined);
  }
  assert.equal(reasonOf(refused(99 as ErrorReason)), undefined);
});

test('for an unknown reason, the code decides whether to retry', () => {
  for (const [code, again] of [
    [Code.Unavailable, true],
    [Code.FailedPrecondition, false],
  ] as const) {
    const detail = { desc: ErrorDetailSchema, value: { reason: 99 as ErrorReason } };
    assert.equal(isTransient(new ConnectError('words', code, undefined, [detail])), again);
  }
});

test('both gateways log a call that failed unexpectedly, and do not return its message', () => {
  const failures = [new TypeError('x'), new ConnectError('x', Code.Internal), new ConnectError('x')];
  for (const thrown of failures) {
    assert.ok(isDefectOfV2(thrown), String(thrown));
    assert.ok(isDefectOfV3(thrown), String(thrown));
    assert.equal(v2ReasonOf(thrown), ErrorReason.INTERNAL);
  }
});

test('rejections and an unavailable service are not defects', () => {
  const expected = [refused(ErrorReason.TOKEN_EXPIRED), new ConnectError('x', Code.Unavailable)];
  for (const thrown of expected) {
    assert.ok(!isDefectOfV2(thrown), String(thrown));
    assert.ok(!isDefectOfV3(thrown), String(thrown));
  }
  assert.ok(!isDefectOfV3(outside()));
});
