import { goProgram, type Tool } from '../support/programs.ts';

/** Builds the official conformance suite of Connect, which includes its clients. */
export function connectConformance(): Promise<Tool> {
  const version = 'v1.0.7';
  const module = `connectrpc.com/conformance@${version}`;
  return goProgram('connectconformance', version, module, '/cmd/connectconformance');
}

/** Builds grpc-go's client for gRPC's interoperability tests. */
export function interopClient(): Promise<Tool> {
  const version = 'v1.85.0';
  return goProgram('grpc-interop-client', version, `google.golang.org/grpc@${version}`, '/interop/client');
}

/** Builds h2spec, summerwind's tests of servers against the specifications of HTTP/2 and HPACK. */
export function h2spec(): Promise<Tool> {
  const version = 'v2.2.1+incompatible';
  return goProgram('h2spec', version, `github.com/summerwind/h2spec@${version}`, '/cmd/h2spec');
}
