import { isThisMachine } from '../target.ts';

/** A remark when the URL of the service means another machine on every machine. */
export function notForOthers(server: string): string | undefined {
  if (!isThisMachine(server)) return undefined;
  return `note: ${server} is this machine only; for nodes elsewhere pass --server URL as they reach the service`;
}

/** A remark when the URL has a path, which gRPC leaves out. */
export function pathForGrpc(server: string): string | undefined {
  const { origin, pathname } = new URL(server);
  if (pathname === '/') return undefined;
  return `note: etcd 3.6 and 3.7 call ${origin} without the path ${pathname}; the proxy must route gRPC there to the service`;
}
