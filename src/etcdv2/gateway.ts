import type { ConnectError } from '@connectrpc/connect';
import { reasonOf } from '../client/refusal.ts';
import { type DiscoveryClient, requireMessage } from '../etcd/client.ts';
import { discoveryUrls, textOfId } from '../etcd/discovery-text.ts';
import { PRESETS, REQUEST_LIMITS, WORK_LIMITS } from '../limits.ts';
import { basePathOf } from '../values/public-url.ts';
import { NO_WORK, sendingUnits, type Work } from '../work.ts';
import { type BodyResult, type Request, readBody } from './body.ts';
import { Deadlines } from './deadlines.ts';
import { type UnreadReason, type V2Error, v2Error } from './errors.ts';
import { guideReply, guideResponse, isUnderGuide } from './guide.ts';
import { parseRequest } from './parse.ts';
import { asksForNew } from './parse-new.ts';
import { read } from './read.ts';
import { isDefect, refuse, refuseUnread } from './refusal.ts';
import {
  errorReply,
  errorText,
  movedReply,
  newReply,
  OPTIONS_REPLY,
  pageReply,
  type V2Reply,
  versionReply,
} from './reply.ts';
import type { NewRequest, RegisterRequest, V2Request } from './request.ts';
import { sendV2, type V2Exchange } from './responder.ts';
import { Waits } from './wait.ts';
import { write } from './write.ts';

export interface V2GatewayOptions {
  /** Returns the URL by which the client can reach the service, without a trailing slash. */
  readonly urlFor: (request: Request) => string;
  /** Returns the work budget to which a response is charged. */
  readonly workOf?: (request: Request) => Work;
  /**
   * After how long a wait ends with an empty response, in ms. Less than the idle timeout of any proxy on the
   * way.
   */
  readonly pollLimitMs?: number;
  /**
   * The timeout for the body of a request, in ms. etcd sends its body with the headers, and gives up after 5
   * s.
   */
  readonly bodyLimitMs?: number;
  /** The version of the service, reported next to that of the etcd whose dialect it speaks. */
  readonly version: string;
  /** Called for unexpected errors. Their clients get a plain 500. */
  readonly onDefect: (defect: unknown) => void;
  /** Renders an error as a page for browsers. Undefined for all other clients. */
  readonly errorPage?: (request: Request, error: RefusedReply) => PageReply | undefined;
}

/** RefusedReply is an error as programs receive it: status, body and media type. */
export interface RefusedReply {
  readonly status: number;
  readonly text: string;
  readonly type: string;
}

export interface PageReply {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** V2ClientOf returns the client for the calls of a request, which acts for the caller of that request. */
export type V2ClientOf = (request: Request) => DiscoveryClient;

/** Handler answers a request. With `refusal` it answers that, and reads no body. */
export type V2Handler = (exchange: V2Exchange, refusal?: ConnectError) => void;

/** The version that nodes of 3.4 to 3.6 require of a keys API. */
const DIALECT_VERSION = '3.5.0';

interface Context {
  readonly clientOf: V2ClientOf;
  readonly options: V2GatewayOptions;
  readonly workOf: (request: Request) => Work;
  readonly waits: Waits;
  readonly bodies: Deadlines;
}

/**
 * Serves etcd's v2 discovery dialect over a typed client: /new, /version, and the keys of tokens under
 * /{token}, /v2/keys/_etcd/registry/{token} and /v2/keys/discovery/{token}. It answers every request that it
 * receives, and never throws.
 */
export function etcdV2Gateway(clientOf: V2ClientOf, options: V2GatewayOptions): V2Handler {
  const context: Context = {
    clientOf,
    options,
    workOf: options.workOf ?? (() => NO_WORK),
    waits: new Waits(new Deadlines(options.pollLimitMs ?? PRESETS.pollLimit)),
    bodies: new Deadlines(options.bodyLimitMs ?? REQUEST_LIMITS.v2BodyTimeout),
  };
  return (exchange, refusal) => {
    serve(context, exchange, refusal).catch((defect: unknown) => {
      options.onDefect(defect);
      exchange.request.destroy();
    });
  };
}

async function serve(
  context: Context,
  exchange: V2Exchange,
  refusal: ConnectError | undefined,
): Promise<void> {
  const { request } = exchange;
  const { method = '', url: target = '/' } = request;
  const isGuide = isUnderGuide(target);
  const answer = (answered: V2Reply | V2Error): void => {
    const reply = 'type' in answered ? refusedReply(context.options, request, answered) : answered;
    const bytes = sendV2(exchange, isGuide ? guideReply(reply) : reply);
    if (bytes >= WORK_LIMITS.sentBytes) context.workOf(request).owe(sendingUnits(bytes));
  };
  if (method === 'OPTIONS') return answer(OPTIONS_REPLY);
  if (refusal !== undefined) return answer(refuseUnread(refusal, method, target));
  const forNew = asksForNew(target);
  const hasBody = method === 'PUT' || method === 'POST' || (forNew && method === 'GET');
  const body: BodyResult = hasBody ? await readBody(request, context.bodies, forNew) : { type: 'NONE' };
  if (body.type === 'GONE') return undefined;
  if (body.type === 'TOO_LARGE' || body.type === 'TOO_SLOW') return answer(unreadable(body.type));
  const form = body.type === 'FORM' ? body.text : '';
  const otherText = body.type === 'OTHER' ? body.text : undefined;
  const otherBody = body.type === 'NOT_A_FORM' || otherText !== undefined;
  const parsed = parseRequest({ method, target, form, otherBody, otherText });
  if (parsed.type === 'ERROR') {
    if (exchange.outcome !== undefined) exchange.outcome.reason = 'INVALID_ARGUMENT';
    return answer(parsed);
  }
  if (exchange.outcome !== undefined && 'token' in parsed) exchange.outcome.token = parsed.token;
  let reply: V2Reply | V2Error | undefined;
  try {
    const asked = isGuide ? { ...exchange, response: guideResponse(exchange.response) } : exchange;
    reply = await call(context, parsed, asked);
  } catch (thrown) {
    if (isDefect(thrown)) context.options.onDefect(thrown);
    if (exchange.outcome !== undefined) exchange.outcome.reason = reasonOf(thrown) ?? 'INTERNAL';
    reply = refuse(thrown, parsed);
  }
  // A wait sends its response itself.
  if (reply !== undefined) answer(reply);
}

function refusedReply({ urlFor, errorPage }: V2GatewayOptions, request: Request, error: V2Error): V2Reply {
  const baseUrl = urlFor(request);
  const reply = errorReply(error, baseUrl);
  const { status, contentType: type } = reply;
  const page = errorPage?.(request, { status, text: pageText(error, baseUrl), type });
  return page === undefined ? reply : pageReply(reply, page);
}

/** A cause that is only a key does not help people. */
function pageText(error: V2Error, baseUrl: string): string {
  const text = errorText(error, baseUrl);
  return text.startsWith('/') ? `${error.message}: ${text}` : text;
}

function unreadable(unread: UnreadReason): V2Error {
  if (unread === 'TOO_SLOW') {
    const cause = 'timeout while reading the body; send it without pauses';
    return v2Error(408, 210, cause, { message: 'Request Timeout', unread });
  }
  const cause = `the body is larger than ${REQUEST_LIMITS.v2BodyBytes} bytes; send a form with one value`;
  return v2Error(413, 210, cause, { message: 'Request Entity Too Large', unread });
}

function call(
  context: Context,
  parsed: V2Request,
  exchange: V2Exchange,
): Promise<V2Reply | V2Error | undefined> | V2Reply {
  const { request } = exchange;
  const { options, waits } = context;
  const client = context.clientOf(request);
  switch (parsed.type) {
    case 'NEW':
      return makeNew(client, parsed, options.urlFor(request));
    case 'VERSION':
      return versionReply(DIALECT_VERSION, options.version);
    case 'MOVED':
      return movedReply(`${basePathOf(options.urlFor(request))}${parsed.location}`);
    case 'WAIT':
      return waits.wait(client, parsed, exchange);
    case 'GET_SIZE':
    case 'GET_CONFIG':
    case 'LIST':
    case 'GET_MEMBER':
      return read(client, parsed, context.workOf(request));
    case 'MAKE_TOKEN':
    case 'REGISTER':
    case 'DEREGISTER':
    case 'DELETE_TOKEN':
    case 'NOT_A_FILE':
    case 'NOT_EMPTY':
      return write(client, parsed, (registration) => textOf(registration, request, options));
  }
}

async function makeNew(client: DiscoveryClient, { size }: NewRequest, baseUrl: string): Promise<V2Reply> {
  const { cluster } = await client.createToken({ size });
  return newReply(`${baseUrl}/${requireMessage(cluster).token}`);
}

/** Returns the --discovery of the node, if the node's ID proves it. */
function textOf(
  { id, member }: RegisterRequest,
  request: Request,
  { urlFor }: V2GatewayOptions,
): string | undefined {
  const { host = '' } = request.headers;
  const [path = ''] = (request.url ?? '').split('?');
  const ofToken = path.slice(0, path.lastIndexOf('/'));
  const own = urlFor(request);
  const reached = `${host}${basePathOf(own)}`;
  // Behind a proxy the node may have used another scheme than the one seen here.
  const origins = new Set([`http://${reached}`, `https://${reached}`, own]);
  return textOfId(id, member.peerUrls, discoveryUrls(origins, ofToken));
}
