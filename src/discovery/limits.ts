const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

/** Every bound of the service that is not an operator's to set, each with its reason. Times in ms. */
export const LIMITS = {
  /** Long enough for any UUID or name; short enough for a URL and a log line. */
  tokenLength: 128,
  /** etcd sends 16 hexadecimal digits; other clients may use names. */
  memberIdLength: 64,
  /** A DNS name's label is 63, a pod's name at most 253; etcd itself sets no bound. */
  nameLength: 253,
  /** A scheme, a DNS name of 253 and a port, with room. */
  peerUrlLength: 300,
  /** A node has a handful of addresses. */
  peerUrls: 16,
  /** A sentence for people. */
  descriptionLength: 256,
  /** Nodes that came too late, kept so that they see their rank; more than this is a mistake that loops. */
  standbys: 100,
  /** Changes kept per token for watchers that resume: four for each member of the largest cluster. */
  eventsPerToken: 4096,
  /** Changes read at once for one watcher, so that a slow one holds a bounded batch. */
  eventsPerRead: 256,
  /** A lost reply is repeated within etcd's request time-out of 5 s and its back-off; then it is a rejoin. */
  retryWindow: 30 * seconds,
  /** Clusters forgotten in one transaction: a few ms, so that calls are not held up. */
  sweepBatch: 100,
  /** Watchers woken in one turn of the event loop: about 10 ms of work. */
  ringsAtOnce: 100,
  /** How long watchers leave a store alone that has failed: short beside an election of etcd. */
  storeRetry: 1 * seconds,
  /** A timer holds 2^31 - 1 ms; longer waits are taken in turns of this. */
  timer: 20 * days,
} as const;

/** What the operator may set. Times in ms. */
export interface Policy {
  /** The largest cluster that a token can be made for. */
  readonly maxSize: number;
  readonly defaultTtl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** How long an expired or deleted token is still told apart from one that never was. */
  readonly retention: number;
  /** Tokens held at once, tombstones included. */
  readonly maxTokens: number;
  /** Whether callers may choose their tokens. */
  readonly customTokens: boolean;
}

export const DEFAULT_POLICY: Policy = {
  maxSize: 1000,
  defaultTtl: 7 * days,
  minTtl: 1 * minutes,
  maxTtl: 365 * days,
  retention: 7 * days,
  maxTokens: 2_000_000,
  customTokens: true,
};
