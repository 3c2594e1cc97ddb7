import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  Dialect,
  type GetServiceInfoResponse,
  GetServiceInfoResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import type { Policy } from '../discovery/policy.ts';
import { API_LIMITS } from '../limits.ts';

/** What a service is beside its policy. */
export interface ServiceFacts {
  readonly version: string;
  /** For which calls credentials are needed. */
  readonly auth: 'off' | 'create' | 'all';
  /** As the operator names it. */
  readonly publicUrl?: string | undefined;
}

/** Of a service that nobody has set up. */
export const BARE_FACTS: ServiceFacts = { version: '', auth: 'off' };

export function serviceInfo(
  policy: Policy,
  { version, auth, publicUrl }: ServiceFacts,
): GetServiceInfoResponse {
  return create(GetServiceInfoResponseSchema, {
    version,
    maxSize: policy.maxSize,
    defaultSize: Math.min(API_LIMITS.defaultSize, policy.maxSize),
    minTtl: durationFromMs(policy.minTtl),
    defaultTtl: durationFromMs(policy.defaultTtl),
    maxTtl: durationFromMs(policy.maxTtl),
    retention: durationFromMs(policy.retention),
    dialects: [Dialect.V2, Dialect.V3],
    customTokens: policy.customTokens,
    createNeedsCredential: auth !== 'off',
    useNeedsCredential: auth === 'all',
    publicUrl: publicUrl ?? '',
  });
}
