// The server under test, as connectconformance runs it: reads its properties from stdin, and prints where it listens.

import { create, createRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { conformanceService } from './conformance-service.ts';
import { delimited, readDelimited } from './delimited.ts';
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from './gen/connectrpc/conformance/v1/server_compat_pb.ts';
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from './gen/connectrpc/conformance/v1/service_pb.ts';
import { serve } from './project.ts';

const asked = fromBinary(ServerCompatRequestSchema, await readDelimited(process.stdin));
const { serverCreds, clientTlsCert, messageReceiveLimit } = asked;
const tls = serverCreds && {
  cert: Buffer.from(serverCreds.cert),
  key: Buffer.from(serverCreds.key),
  ...(clientTlsCert.length > 0 && { clientCa: Buffer.from(clientTlsCert) }),
};
const port = await serve({
  service: ConformanceService,
  implementation: conformanceService,
  readMaxBytes: messageReceiveLimit === 0 ? undefined : messageReceiveLimit,
  registry: createRegistry(file_connectrpc_conformance_v1_service),
  tls,
});
const answer = create(ServerCompatResponseSchema, {
  host: '127.0.0.1',
  port: port.port,
  ...(serverCreds !== undefined && { pemCert: serverCreds.cert }),
});
process.stdout.write(delimited(toBinary(ServerCompatResponseSchema, answer)));
process.once('SIGTERM', () => process.exit());
