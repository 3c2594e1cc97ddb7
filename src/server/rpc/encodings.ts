import type { UniversalServerResponse } from '@connectrpc/connect/protocol';

/** The accepted compression of messages, besides none. */
const ACCEPTED = 'gzip';

/**
 * The headers in which each protocol names the encoding of a request, and the accepted ones in a response.
 */
const NAMES: ReadonlyArray<readonly [request: string, answer: string]> = [
  ['grpc-encoding', 'grpc-accept-encoding'],
  ['content-encoding', 'accept-encoding'],
  ['connect-content-encoding', 'connect-accept-encoding'],
];

/** Tells a client that used another encoding which ones are accepted. */
export function nameEncodings({ header }: UniversalServerResponse, asked: Headers): void {
  for (const [request, answer] of NAMES) {
    const encoding = asked.get(request) ?? 'identity';
    if (encoding !== 'identity' && encoding !== ACCEPTED) header?.set(answer, ACCEPTED);
  }
}
