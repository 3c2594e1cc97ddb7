import { PRESETS } from '../limits.ts';

/** What the operator may set of the rules. Times in ms. */
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
  /** What they take of the store until no new ones are made, in bytes. */
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
