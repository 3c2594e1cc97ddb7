// The generated schema under one name, for programs: messages, enums and services.

export * from '../gen/discovery/v1/cluster_pb.ts';
export * from '../gen/discovery/v1/error_pb.ts';
export * from '../gen/discovery/v1/operator_pb.ts';
export * from '../gen/discovery/v1/service_pb.ts';
