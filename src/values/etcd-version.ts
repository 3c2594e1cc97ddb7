/** The version in what an etcd answers to GET /version, like 2.3.8: JSON since 2.1, a line of text before. */
export function parseEtcdVersion(body: string): string | undefined {
  return /^(?:\{.*"etcdserver"\s*:\s*"|etcd )(\d+\.\d+(?:\.\d+)?)/s.exec(body)?.[1];
}

/** Whether it has v2 keys alone: gRPC came with etcd 3.0. */
export function isBeforeGrpc(version: string): boolean {
  return Number.parseInt(version, 10) < 3;
}
