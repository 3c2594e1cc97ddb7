import assert from 'node:assert/strict';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import type { MemberEvent } from '../../gen/discovery/v1/cluster_pb.ts';
import { type ErrorDetail, ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { WatchMembersRequestSchema, WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { BadRequestSchema, ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { reasonOf } from '../../src/client/refusal.ts';
import { API_LIMITS } from '../../src/limits.ts';

/** Returns the registration of the i-th node of an example cluster. */
export function infra(i: number): { memberId: string; name: string; peerUrls: string[] } {
  return { memberId: String(i), name: `infra${i}`, peerUrls: [`http://10.0.0.${i}:2380`] };
}

/** Returns the error detail of a rejected call, and its message. Fails if the call succeeds. */
export async function rejectionDetail(call: Promise<unknown>): Promise<ErrorDetail & { text: string }> {
  const error = await call.then(
    () => assert.fail('the call succeeded and should have been rejected'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConnectError, String(error));
  const details = error.findDetails(ErrorDetailSchema);
  assert.equal(details.length, 1, `one detail: ${error.message}`);
  const [detail] = details;
  assert.ok(detail);
  const [info] = error.findDetails(ErrorInfoSchema);
  assert.deepEqual([info?.domain, info?.reason], ['etcd-discovery', reasonOf(error)]);
  assert.equal(info?.metadata['memberId'], detail.member?.id);
  const violations = error.findDetails(BadRequestSchema).flatMap((each) => each.fieldViolations);
  const isInvalid = detail.reason === ErrorReason.INVALID_ARGUMENT;
  assert.deepEqual(
    violations.map(({ field, description }) => [field, description]),
    isInvalid ? [[detail.field, error.rawMessage]] : [],
  );
  const bytes = error.details.reduce((sum, each) => sum + bytesOf(each), 0);
  assert.ok(bytes <= API_LIMITS.errorDetailBytes, `${bytes} bytes of details`);
  return { ...detail, text: error.rawMessage };
}

function bytesOf(detail: ConnectError['details'][number]): number {
  return 'desc' in detail
    ? toBinary(detail.desc, create(detail.desc, detail.value)).length
    : detail.value.length;
}

type Update = WatchMembersResponse['update'];
type UpdateValue<Case extends Update['case']> =
  Extract<Update, { case: Case }> extends { value: infer V } ? V : never;

/** Watches a token, message by message. */
export function follow(
  client: DiscoveryClient,
  request: MessageInitShape<typeof WatchMembersRequestSchema>,
): {
  next<Case extends 'snapshot' | 'started' | 'event'>(expected: Case): Promise<UpdateValue<Case>>;
  /** Returns all events up to the end of the stream. */
  events(): Promise<MemberEvent[]>;
  stop(): void;
} {
  const abort = new AbortController();
  const messages = client.watchMembers(request, { signal: abort.signal })[Symbol.asyncIterator]();
  return {
    async next(expected) {
      const message = await messages.next();
      assert.ok(message.done !== true, `the watch ended before its ${expected}`);
      const { update } = message.value;
      assert.equal(update.case, expected);
      return update.value as UpdateValue<typeof expected>;
    },
    async events() {
      const events: MemberEvent[] = [];
      for (;;) {
        const message = await messages.next();
        if (message.done === true) return events;
        const { update } = message.value;
        assert.ok(update.case === 'event', `${update.case}`);
        events.push(update.value);
      }
    },
    stop: () => abort.abort(),
  };
}
