import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf } from '../../../src/store/etcd/client/fault.ts';

// As etcd3 and gRPC's client have them.
const RAW = [
  '14 UNAVAILABLE: Connection dropped',
  'GRPCUnavailableError: 14 UNAVAILABLE: read ECONNRESET',
  'GRPCInternalError: 13 INTERNAL: Received RST_STREAM with code 2 triggered by internal client error: Protocol',
  '14 UNAVAILABLE: No connection established. Last error: null. Resolution note: ',
  '2 UNKNOWN: Stream removed',
];

test('what clients are told of a failure of etcd has no words of the gRPC client in it', () => {
  for (const text of RAW) {
    const { cause } = faultOf(new Error(text));
    assert.doesNotMatch(
      cause,
      /UNAVAILABLE|INTERNAL|UNKNOWN|RST_STREAM|ECONNRESET|Last error|removed|dropped/,
    );
    assert.match(cause, /etcd/);
  }
});

test("etcd's own words are told, and where it was looked for", () => {
  const told = (text: string): string => faultOf(new Error(text)).cause;
  assert.match(told('14 UNAVAILABLE: etcdserver: leader changed'), /etcdserver: leader changed/);
  const refused = 'No connection established. Last error: Error: connect ECONNREFUSED 10.0.0.1:2379.';
  assert.match(told(`14 UNAVAILABLE: ${refused} Resolution note: `), /ECONNREFUSED 10\.0\.0\.1:2379/);
});
