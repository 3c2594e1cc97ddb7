import { PRESETS } from '../limits.ts';

/** Policy is the rules that the operator can set. Times in ms. */
export interface Policy {
  /** The largest allowed size of a cluster. */
  readonly maxSize: number;
  readonly defaultTtl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** How long an expired or deleted token is remembered. */
  readonly retention: number;
  /** The maximum number of stored tokens, tombstones included. */
  readonly maxTokens: number;
  /** The number of stored bytes from which no new tokens are created. */
  readonly maxBytes: number;
  /** Whether callers may choose their tokens. */
  readonly customTokens: boolean;
}

export const DEFAULT_POLICY: Policy = {
  maxSize: PRESETS.maxSize,
  defaultTtl: PRESETS.ttl,
  minTtl: PRESETS.minTtl,
  maxTtl: PRESETS.maxTtl,
  retention: PRESETS.retention,
  maxTokens: PRESETS.maxTokens,
  maxBytes: 4 * 1024 ** 3,
  customTokens: true,
};
