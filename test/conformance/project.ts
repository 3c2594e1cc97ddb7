// What the suites test of the project: its port and its RPC handler. Other files here import nothing of src.

import type { DescService, Registry } from '@bufbuild/protobuf';
import { createServiceImplSpec, type ServiceImpl } from '@connectrpc/connect';
import { openPort, type Port, type PortHandler } from '../../src/port/port.ts';
import type { TlsIdentity } from '../../src/port/tls.ts';
import { rpcHandler } from '../../src/server/rpc/handler.ts';

export type { Port };

export interface Served<Service extends DescService> {
  readonly service: Service;
  readonly implementation: Partial<ServiceImpl<Service>>;
  /** The largest message that is taken; undefined: as the service has it. */
  readonly readMaxBytes?: number | undefined;
  /** What an `Any` in JSON may hold. */
  readonly registry?: Registry;
  readonly tls?: TlsIdentity | undefined;
}

const log = (fields: object, text: string): void => console.error(text, fields);

/** Opens a port of the project on 127.0.0.1 with a handler of the test's own. */
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
  const handler = rpcHandler(services, undefined, options);
  return openPort({
    host: '127.0.0.1',
    port: 0,
    tls,
    handler: (request, response) => handler(request, response, {}),
    log: { warn: log, error: log },
  });
}
