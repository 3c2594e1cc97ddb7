/**
 * The output of every client that creates a token, registers, lists, gets an error, and watches until it is complete.
 */
export const STORY: readonly string[] = [
  'created 2',
  'registered infra1',
  'listed infra1',
  'refused ERROR_REASON_NAME_TAKEN by infra1',
  'snapshot infra1',
  'event infra2 CLUSTER_STATE_COMPLETE',
  'initial_cluster infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380',
];
