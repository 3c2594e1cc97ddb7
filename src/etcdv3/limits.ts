const minutes = 60_000;

/** Bounds of the v3 dialect, each with its reason. */
export const LIMITS = {
  /** Watches on one stream; a client of etcd puts all of its watches on one. */
  watchesPerStream: 1000,
  /** How often a watch that asked for it hears that nothing happened, in ms: as etcd does it. */
  progressInterval: 10 * minutes,
  /**
   * How often a put or a transaction looks again when its key changed between its look and its write. Each time
   * is one that somebody else's write was done, so this many clients may write one key at the same time.
   */
  attempts: 100,
} as const;
