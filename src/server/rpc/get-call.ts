// Reads by GET, with the message in the query.

import { Code } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { errorOf, inWordsForClients } from './answer-words.ts';
import { inJson } from './refusals.ts';

const MESSAGE = 'the query parameter "message" is not a valid message for this method';
const ENCODING = 'the query parameter "encoding" is missing or unknown; use encoding=json or encoding=proto';

/** Says which query parameter was rejected. */
export async function explainQuery(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.status === 415) return inJson(answer, Code.Unknown, ENCODING);
  // Connect reports invalid base64 as its own error.
  if (answer.status === 500) return inJson({ ...answer, status: 400 }, Code.InvalidArgument, MESSAGE);
  const told = await inWordsForClients(answer);
  if (answer.status !== 400) return told;
  const { error, again } = await errorOf(told);
  if (error.message === undefined || error.message.startsWith('protocol error')) return again;
  return inJson(again, Code.InvalidArgument, `${MESSAGE}: ${error.message}`);
}
