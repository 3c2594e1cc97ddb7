import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Auth, Cluster, KV, Maintenance, Watch } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';

/** Every served method by its path. True: a stream. */
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

/** The paths of all RPCs. */
export const RPC_PATHS: Iterable<string> = METHODS.keys();

/** Whether a path is that of an RPC, which contains no token. */
export function isRpc(path: string): boolean {
  return METHODS.has(path);
}

/** Whether a path is that of a streaming RPC. */
export function isStream(path: string): boolean {
  return METHODS.get(path) === true;
}
