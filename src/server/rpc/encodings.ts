import type { UniversalServerResponse } from '@connectrpc/connect/protocol';

/** What a message may be compressed with, besides not at all. */
const ACCEPTED = 'gzip';

/** Where each protocol names the encoding of a request, and where an answer those that are taken. */
const NAMES: ReadonlyArray<readonly [request: string, answer: string]> = [
  ['grpc-encoding', 'grpc-accept-encoding'],
  ['content-encoding', 'accept-encoding'],
  ['connect-content-encoding', 'connect-accept-encoding'],
];

/** Names the encodings that are taken to a client that has used another one. */
export function nameEncodings({ header }: UniversalServerResponse, asked: Headers): void {
  for (const [request, answer] of NAMES) {
    const encoding = asked.get(request) ?? 'identity';
    if (encoding !== 'identity' && encoding !== ACCEPTED) header?.set(answer, ACCEPTED);
  }
}
