// The generated schema under one name, for programs: messages, enums and `DiscoveryService`.

export * from '../gen/discovery/v1/cluster_pb.ts';
export * from '../gen/discovery/v1/error_pb.ts';
export * from '../gen/discovery/v1/service_pb.ts';
