// Reads that are called with GET, whose message is in the query.

import { Code } from '@connectrpc/connect';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { errorOf, inWordsForClients } from './answer-words.ts';
import { inJson } from './refusals.ts';

const MESSAGE = 'the query parameter "message" cannot be read as the message of this method';
const ENCODING = 'the query parameter "encoding" is missing or unknown; use encoding=json or encoding=proto';

/** Says which parameter of a query was refused. */
export async function explainQuery(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  if (answer.status === 415) return inJson(answer, Code.Unknown, ENCODING);
  // Connect takes what is no base64 for an error of its own.
  if (answer.status === 500) return inJson({ ...answer, status: 400 }, Code.InvalidArgument, MESSAGE);
  const told = await inWordsForClients(answer);
  if (answer.status !== 400) return told;
  const { error, again } = await errorOf(told);
  if (error.message === undefined || error.message.startsWith('protocol error')) return again;
  return inJson(again, Code.InvalidArgument, `${MESSAGE}: ${error.message}`);
}
