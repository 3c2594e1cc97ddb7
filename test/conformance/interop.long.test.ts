import { execFile } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { TestService } from './gen/grpc/testing/test_pb.ts';
import { interopService } from './interop-service.ts';
import { interopClient } from './programs.ts';
import { type Port, serve } from './project.ts';

const run = promisify(execFile);

/** gRPC's interoperability tests that need no credentials, compression or load reports. */
const CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'timeout_on_sleeping_server',
  'cancel_after_begin',
  'cancel_after_first_response',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
  'pick_first_unary',
  'rpc_soak',
  'channel_soak',
];

const client = await interopClient();

suite("the interoperability tests of gRPC, by grpc-go's client", () => {
  let port: Port;
  before(async () => {
    port = await serve({ service: TestService, implementation: interopService, readMaxBytes: 1 << 20 });
  });
  after(() => port.drain(0));

  for (const name of CASES) {
    test(name, { skip: client.missing }, async () => {
      const server = [`--server_host=127.0.0.1`, `--server_port=${port.port}`];
      await run(client.path ?? '', [...server, `--test_case=${name}`], { timeout: 60_000 });
    });
  }
});
