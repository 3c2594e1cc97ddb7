import type { DescMethod } from '@bufbuild/protobuf';
import type { ConnectRouter, MethodImpl, ServiceImplSpec } from '@connectrpc/connect';

/** Adds services to a router of Connect. */
export function addServices(router: ConnectRouter, services: readonly ServiceImplSpec[]): void {
  for (const { methods } of services) {
    for (const { method, impl } of Object.values(methods)) router.rpc(method, impl as MethodImpl<DescMethod>);
  }
}
