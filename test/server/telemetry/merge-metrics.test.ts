import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeMetrics } from '../../../src/server/telemetry/merge-metrics.ts';

test('metrics of several workers are merged: each metric once, each sample with its worker', () => {
  const one = `# HELP a_total What a is.
# TYPE a_total counter
a_total{code="200",path="/{x} y"} 1
a_total 2
# HELP b_seconds What b is.
# TYPE b_seconds histogram
b_seconds_bucket{le="0.1"} 3
b_seconds_bucket{le="+Inf"} 4
b_seconds_sum 0.5
b_seconds_count 4
`;
  const two = `
# HELP b_seconds What b is.
# TYPE b_seconds histogram
b_seconds_sum 7

# HELP c Only there.
# TYPE c gauge
c Nan
`;
  assert.equal(
    mergeMetrics(
      new Map([
        [1, one],
        [3, two],
      ]),
    ),
    `# HELP a_total What a is.
# TYPE a_total counter
a_total{worker="1",code="200",path="/{x} y"} 1
a_total{worker="1"} 2

# HELP b_seconds What b is.
# TYPE b_seconds histogram
b_seconds_bucket{worker="1",le="0.1"} 3
b_seconds_bucket{worker="1",le="+Inf"} 4
b_seconds_sum{worker="1"} 0.5
b_seconds_count{worker="1"} 4
b_seconds_sum{worker="3"} 7

# HELP c Only there.
# TYPE c gauge
c{worker="3"} Nan
`,
  );
});
