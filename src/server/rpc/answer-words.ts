import { createAsyncIterable, type UniversalServerResponse } from '@connectrpc/connect/protocol';
import { forClients } from './connect-words.ts';
import { encodeGrpcMessage } from './grpc-message.ts';
import { mapped, type ResponseBody } from './map-body.ts';

/** Flags of an envelope: the message is compressed; it is the last one in gRPC-Web or in Connect. */
const COMPRESSED = 0x01;
const WEB_TRAILERS = 0x80;
const END_STREAM = 0x02;
const PREFIX_BYTES = 5;

const MESSAGE = 'grpc-message';
const MESSAGE_LINE = /^(grpc-message: ?)([^\r\n]*)/im;

/**
 * Rewrites the errors in Connect's response for clients: messages about the call alone, and a `grpc-message`
 * without more escapes than gRPC's protocol requires.
 */
export async function inWordsForClients(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { status, header, trailer, body } = answer;
  const type = header?.get('content-type') ?? '';
  if (header?.has(MESSAGE)) rewriteMessage(header);
  if (body === undefined) return answer;
  if (status >= 400 && type === 'application/json' && !header?.has('content-encoding')) {
    return rewriteUnary(answer, body);
  }
  if (trailer !== undefined && type.startsWith('application/grpc+')) {
    return { ...answer, body: before(body, () => rewriteMessage(trailer)) };
  }
  const isStream = type.startsWith('application/grpc-web') || type.startsWith('application/connect+');
  return isStream ? { ...answer, body: mapped(body, rewriteEnd) } : answer;
}

function rewriteMessage(headers: Headers): void {
  const message = headers.get(MESSAGE);
  if (message !== null) headers.set(MESSAGE, reencode(message));
}

function reencode(message: string): string {
  return encodeGrpcMessage(forClients(decodeURIComponent(message)));
}

/** The trailers are available when the body has ended. */
async function* before(body: ResponseBody, atEnd: () => void): ResponseBody {
  yield* body;
  atEnd();
}

/** An error's body is one chunk, whose length is in the head. */
async function rewriteUnary(
  answer: UniversalServerResponse,
  body: ResponseBody,
): Promise<UniversalServerResponse> {
  const bytes = Buffer.from(JSON.stringify(inWords(parse(await wholeOf(body)))));
  const header = new Headers(answer.header);
  header.set('content-length', String(bytes.length));
  return { ...answer, header, body: createAsyncIterable([bytes]) };
}

/** Returns the error of a unary response and an equal response, because the body can be read only once. */
export async function errorOf(
  answer: UniversalServerResponse,
): Promise<{ error: ConnectErrorJson; again: UniversalServerResponse }> {
  const { body } = answer;
  if (body === undefined) return { error: {}, again: answer };
  const bytes = await wholeOf(body);
  return { error: parse(bytes), again: { ...answer, body: createAsyncIterable([bytes]) } };
}

async function wholeOf(body: ResponseBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parse(bytes: Uint8Array): ConnectErrorJson {
  return JSON.parse(Buffer.from(bytes).toString()) as ConnectErrorJson;
}

interface ConnectErrorJson {
  readonly message?: string;
}

function inWords(error: ConnectErrorJson): ConnectErrorJson {
  return error.message === undefined ? error : { ...error, message: forClients(error.message) };
}

/** Connect makes one chunk of each envelope. */
function rewriteEnd(chunk: Uint8Array): Uint8Array {
  const [flags = 0] = chunk;
  if ((flags & COMPRESSED) !== 0) return chunk;
  const text = (): string => Buffer.from(chunk.subarray(PREFIX_BYTES)).toString();
  if ((flags & WEB_TRAILERS) !== 0) {
    return envelope(
      flags,
      text().replace(MESSAGE_LINE, (_, name: string, message: string) => name + reencode(message)),
    );
  }
  if ((flags & END_STREAM) === 0) return chunk;
  const end = JSON.parse(text()) as { readonly error?: ConnectErrorJson };
  return end.error === undefined
    ? chunk
    : envelope(flags, JSON.stringify({ ...end, error: inWords(end.error) }));
}

function envelope(flags: number, text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(flags, 0);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}
