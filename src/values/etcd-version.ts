/**
 * Returns the version in an etcd's response to GET /version, such as 2.3.8: JSON since 2.1, plain text
 * before.
 */
export function parseEtcdVersion(body: string): string | undefined {
  return /^(?:\{.*"etcdserver"\s*:\s*"|etcd )(\d+\.\d+(?:\.\d+)?)/s.exec(body)?.[1];
}

/** Whether the version has v2 keys only: gRPC was added in etcd 3.0. */
export function isBeforeGrpc(version: string): boolean {
  return Number.parseInt(version, 10) < 3;
}
