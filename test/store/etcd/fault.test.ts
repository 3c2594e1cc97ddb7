import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf } from '../../../src/store/etcd/client/fault.ts';

// As etcd3 and the gRPC client phrase them.
const RAW = [
  '14 UNAVAILABLE: Connection dropped',
  'GRPCUnavailableError: 14 UNAVAILABLE: read ECONNRESET',
  'GRPCInternalError: 13 INTERNAL: Received RST_STREAM with code 2 triggered by internal client error: Protocol',
  '14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ',
  '2 UNKNOWN: Stream removed',
];

test('the cause of an etcd failure contains no text of the gRPC client', () => {
  for (const text of RAW) {
    const { cause } = faultOf(new Error(text));
    assert.doesNotMatch(
      cause,
      /UNAVAILABLE|INTERNAL|UNKNOWN|RST_STREAM|ECONNRESET|Last error|removed|dropped/,
    );
    assert.match(cause, /etcd/);
  }
});

test("the cause of an etcd failure contains etcd's own text and the address", () => {
  const causeOf = (text: string): string => faultOf(new Error(text)).cause;
  assert.match(causeOf('14 UNAVAILABLE: etcdserver: leader changed'), /etcdserver: leader changed/);
  const refused = 'No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2379.';
  assert.match(causeOf(`14 UNAVAILABLE: ${refused} Resolution note: `), /ECONNREFUSED 10\.0\.0\.1:2379/);
});
