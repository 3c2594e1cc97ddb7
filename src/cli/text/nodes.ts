import { isThisMachine } from '../target.ts';

/** Returns a remark if the URL of the service refers to the local machine on every machine. */
export function notForOthers(server: string): string | undefined {
  if (!isThisMachine(server)) return undefined;
  return `note: only this machine can reach ${server}; for other nodes pass --server with a URL that they can reach`;
}

/** Returns a remark if the URL has a path, which gRPC ignores. */
export function pathForGrpc(server: string): string | undefined {
  const { origin, pathname } = new URL(server);
  if (pathname === '/') return undefined;
  return `note: etcd 3.6 and 3.7 call ${origin} without the path ${pathname}; the proxy must route gRPC there to the service`;
}
