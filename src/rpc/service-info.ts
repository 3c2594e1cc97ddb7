import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  Dialect,
  type GetServiceInfoResponse,
  GetServiceInfoResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import type { Policy } from '../discovery/policy.ts';
import { API_LIMITS } from '../limits.ts';

/** ServiceFacts describes a service beyond its policy. */
export interface ServiceFacts {
  readonly version: string;
  /** The calls that require credentials. */
  readonly auth: 'off' | 'create' | 'all';
  /** The public URL as configured by the operator. */
  readonly publicUrl?: string | undefined;
}

/** BARE_FACTS are the facts of a service without configuration. */
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
