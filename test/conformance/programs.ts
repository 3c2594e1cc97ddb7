import { goProgram, type Tool } from '../support/programs.ts';

/** The official conformance suite of Connect, with its clients in it. */
export function connectConformance(): Promise<Tool> {
  const version = 'v1.0.7';
  const module = `connectrpc.com/conformance@${version}`;
  return goProgram('connectconformance', version, module, '/cmd/connectconformance');
}

/** The client of gRPC's interoperability tests, of grpc-go. */
export function interopClient(): Promise<Tool> {
  const version = 'v1.85.0';
  return goProgram('grpc-interop-client', version, `google.golang.org/grpc@${version}`, '/interop/client');
}
