// The parts of the project that the suites test: its port and its RPC handler. Other files here import nothing of
// src.

import type { DescService, Registry } from '@bufbuild/protobuf';
import { createServiceImplSpec, type ServiceImpl } from '@connectrpc/connect';
import { openPort, type Port, type PortHandler } from '../../src/port/port.ts';
import type { TlsIdentity } from '../../src/port/tls.ts';
import { rpcHandler } from '../../src/server/rpc/handler.ts';

export type { Port };

export interface Served<Service extends DescService> {
  readonly service: Service;
  readonly implementation: Partial<ServiceImpl<Service>>;
  /** The largest accepted message. Undefined: the service's default. */
  readonly readMaxBytes?: number | undefined;
  /** Types that an `Any` in JSON may contain. */
  readonly registry?: Registry;
  readonly tls?: TlsIdentity | undefined;
}

const log = (fields: object, text: string): void => console.error(text, fields);

/** Opens a port of the project on 127.0.0.1 with the test's own handler. */
export function servePlain(handler: PortHandler, tls?: TlsIdentity): Promise<Port> {
  return openPort({ host: '127.0.0.1', port: 0, tls, handler, log: { warn() {}, error: log } });
}

/** Opens a port of the project on 127.0.0.1 that serves one RPC service. */
export function serve<Service extends DescService>({
  service,
  implementation,
  tls,
  ...options
}: Served<Service>): Promise<Port> {
  const services = [createServiceImplSpec<Service>(service, implementation)];
  const rpc = rpcHandler(services, undefined, options);
  return openPort({
    host: '127.0.0.1',
    port: 0,
    tls,
    handler: (request, response) => rpc.request(request, response, {}),
    calls: { takes: rpc.takes, answer: (call) => rpc.call(call, {}) },
    log: { warn: log, error: log },
  });
}
