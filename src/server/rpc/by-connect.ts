import { ConnectError, type ContextValues } from '@connectrpc/connect';
import {
  createAsyncIterable,
  type UniversalHandler,
  type UniversalServerResponse,
} from '@connectrpc/connect/protocol';
import { codeToString } from '@connectrpc/connect/protocol-connect';
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from '@connectrpc/connect-node';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import { sendingMeter, type Work } from '../../work.ts';
import { inWordsForClients } from './answer-words.ts';
import { dropLongDeadlines } from './deadline.ts';
import { nameEncodings } from './encodings.ts';
import { explainQuery } from './get-call.ts';
import { mapped } from './map-body.ts';
import { mediaTypeOf } from './media-type.ts';
import type { Outcome } from './outcome.ts';
import { explainStatus, explainUnreadable } from './refusals.ts';
import { TURNED_AWAY, turnedAway } from './turned-away.ts';

export interface Asked {
  readonly values: ContextValues;
  readonly outcome: Outcome;
  /** The body, if some of it was already read. */
  readonly read?: Uint8Array | undefined;
  /** The work budget to which the response is charged. */
  readonly work: Work;
}

/** Answers a call through Connect. */
export async function byConnect(
  handler: UniversalHandler,
  request: PortRequest,
  response: PortResponse,
  { values, outcome, read, work }: Asked,
): Promise<void> {
  const asked = universalRequestFromNodeRequest(request, response, undefined, values);
  const { header } = asked;
  const type = mediaTypeOf(header.get('content-type') ?? '');
  if (type !== '') header.set('content-type', type);
  dropLongDeadlines(header);
  // Connect may leave the body half read. The port handles the rest: a destroyed request would hold its
  // socket.
  const body =
    read === undefined ? request.iterator({ destroyOnReturn: false }) : createAsyncIterable([read]);
  const refusal = values.get(TURNED_AWAY);
  const call = { ...asked, body };
  const answer = await handler(refusal === undefined ? call : turnedAway(call, refusal));
  const explained = await explain(answer, { handler, type, isGet: asked.method === 'GET', outcome });
  nameEncodings(explained, header);
  try {
    await universalResponseToNodeResponse(charged(explained, work), response);
  } catch (thrown) {
    // The client is gone. Any other failure was reported in the response.
    outcome.code ??= codeToString(ConnectError.from(thrown).code);
  }
}

interface Call {
  readonly handler: UniversalHandler;
  readonly type: string;
  readonly isGet: boolean;
  readonly outcome: Outcome;
}

/** Explains to the caller why the call was rejected. */
async function explain(
  answer: UniversalServerResponse,
  { handler, type, isGet, outcome }: Call,
): Promise<UniversalServerResponse> {
  // A call that did not reach the service must itself be wrong.
  const isUnseen = outcome.code === undefined;
  if (isGet && isUnseen && answer.status >= 400 && answer.status !== 405) return explainQuery(answer);
  if (answer.status === 500 && isUnseen) return explainUnreadable(answer);
  if (answer.body === undefined) return explainStatus(answer, type, handler.allowedMethods);
  return inWordsForClients(answer);
}

/** Charges what is sent to the client's work. */
function charged(answer: UniversalServerResponse, work: Work): UniversalServerResponse {
  if (answer.body === undefined) return answer;
  const count = sendingMeter(work, isCompressed(answer));
  const note = (chunk: Uint8Array): Uint8Array => {
    count(chunk.length);
    return chunk;
  };
  return { ...answer, body: mapped(answer.body, note) };
}

const ENCODINGS = ['content-encoding', 'connect-content-encoding', 'grpc-encoding'];

/** Short messages of a compressed stream are not compressed, but they hardly count. */
function isCompressed({ header }: UniversalServerResponse): boolean {
  return ENCODINGS.some((name) => (header?.get(name) ?? 'identity') !== 'identity');
}
