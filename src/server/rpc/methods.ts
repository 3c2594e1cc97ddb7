import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Auth, Cluster, KV, Maintenance, Watch } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';

/** Every method that is served, by its path. True: a stream. */
const METHODS = new Map(
  [
    DiscoveryService,
    OperatorService,
    KV,
    Watch,
    Cluster,
    Maintenance,
    Auth,
    Health,
    ServerReflection,
    ServerReflectionAlpha,
  ].flatMap(({ typeName, methods }) =>
    methods.map(({ name, methodKind }): [string, boolean] => [
      `/${typeName}/${name}`,
      methodKind !== 'unary',
    ]),
  ),
);

/** Whether a path is that of an RPC, and so holds no token. */
export function isRpc(path: string): boolean {
  return METHODS.has(path);
}

/** Whether a path is that of an RPC that streams. */
export function isStream(path: string): boolean {
  return METHODS.get(path) === true;
}
