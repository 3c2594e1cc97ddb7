// The API as plain tables. To evaluate the generated schema takes Node.js as long as to start, so bundle-program.mjs
// replaces this module by the values of its exports, which therefore must be JSON.

import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { file_discovery_v1_cluster } from '../../../gen/discovery/v1/cluster_pb.ts';
import { file_discovery_v1_operator, OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService, file_discovery_v1_service } from '../../../gen/discovery/v1/service_pb.ts';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatusSchema,
  HealthCheckResponseSchema,
} from '../../../gen/grpc/health/v1/health_pb.ts';

export { Access, ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
export { RegisterMode, RegisterOutcome, WhenFull } from '../../../gen/discovery/v1/service_pb.ts';
export { HealthCheckResponse_ServingStatus as ServingStatus } from '../../../gen/grpc/health/v1/health_pb.ts';

export type Kind = 'text' | 'switch' | 'number' | 'bigint' | 'time' | 'duration' | 'enum' | 'message';
/** A field without a value is absent, an empty list, or the zero of its kind. */
export type Presence = 'absent' | 'list' | 'zero';
/** A field, with the name of its message or enum. */
export type Field = readonly [name: string, kind: Kind, presence: Presence, type?: string];
/** A unary method: its path, and the types of its request and its response. */
export interface Method {
  readonly path: string;
  readonly request: string;
  readonly response: string;
}

const FILES = [file_discovery_v1_cluster, file_discovery_v1_operator, file_discovery_v1_service];
const SCALARS: Partial<Record<ScalarType, Kind>> = {
  [ScalarType.STRING]: 'text',
  [ScalarType.BOOL]: 'switch',
  [ScalarType.UINT32]: 'number',
  [ScalarType.UINT64]: 'bigint',
};
const WELL_KNOWN: Readonly<Record<string, Kind>> = {
  'google.protobuf.Timestamp': 'time',
  'google.protobuf.Duration': 'duration',
};

function fieldOf(field: DescField): Field {
  const { localName: name, scalar, message, enum: ofEnum } = field;
  const type = message?.typeName ?? ofEnum?.typeName ?? '';
  const kind = scalar === undefined ? (WELL_KNOWN[type] ?? (message ? 'message' : 'enum')) : SCALARS[scalar];
  if (kind === undefined || name !== field.jsonName) throw new Error(`no kind for ${String(field)}`);
  const isOptional = message !== undefined || field.proto.proto3Optional;
  const presence = field.fieldKind === 'list' ? 'list' : isOptional ? 'absent' : 'zero';
  return type === '' ? [name, kind, presence] : [name, kind, presence, type];
}

/** Only streams have messages with a choice of fields. */
const MESSAGES_OF_CALLS: readonly DescMessage[] = [
  ...FILES.flatMap(({ messages }) => messages).filter(
    ({ typeName }) => typeName !== 'discovery.v1.WatchMembersResponse',
  ),
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
];

/** The fields of each message. */
export const MESSAGES: Readonly<Record<string, readonly Field[]>> = Object.fromEntries(
  MESSAGES_OF_CALLS.map(({ typeName, fields }) => [typeName, fields.map(fieldOf)]),
);

/** The numbers of each enum, by the names that JSON has. */
export const ENUMS: Readonly<Record<string, Readonly<Record<string, number>>>> = Object.fromEntries(
  [...FILES.flatMap(({ enums }) => enums), HealthCheckResponse_ServingStatusSchema].map(
    ({ typeName, values }) => [
      typeName,
      Object.fromEntries(values.map(({ name, number }) => [name, number])),
    ],
  ),
);

/** By the names of a client's functions. */
export const METHODS: Readonly<Record<string, Method>> = Object.fromEntries(
  [...DiscoveryService.methods, ...OperatorService.methods, Health.method.check]
    .filter(({ methodKind }) => methodKind === 'unary')
    .map(({ parent, name, localName, input, output }) => [
      localName,
      { path: `/${parent.typeName}/${name}`, request: input.typeName, response: output.typeName },
    ]),
);
