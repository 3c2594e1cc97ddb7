import type { ConnectError } from '@connectrpc/connect';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { answerFor, isRefusal } from '../etcd/start/answer.ts';
import { answerJson } from '../etcd/start/answer-json.ts';
import { answerText } from '../etcd/start/answer-text.ts';
import type { KnownCluster } from '../etcd/start/member.ts';
import { type AnswerFormat, readQuery } from '../etcd/start/query.ts';
import { WORK_LIMITS } from '../limits.ts';
import { NO_WORK, sendingUnits, units, type Work } from '../work.ts';
import { startProblemOf, takenProblem } from './problem.ts';
import {
  type BootReply,
  type BootRequest,
  type BootResponse,
  json,
  problemReply,
  sendStart,
  text,
} from './reply.ts';
import { startTargetOf } from './target.ts';

export interface BootOptions {
  /** Returns the URL by which the node can reach the service, without a trailing slash. */
  readonly urlFor: (request: BootRequest) => string;
  /** Returns the work budget to which a response is charged. */
  readonly workOf?: (request: BootRequest) => Work;
  /** Called with the reason of a rejected request, for its log line. */
  readonly onRefused?: (request: BootRequest, reason: string) => void;
  /** Called for unexpected errors. Their clients get a 500. */
  readonly onDefect: (defect: unknown) => void;
}

type ClientOf = (request: BootRequest) => DiscoveryClient;

/**
 * Serves `/_start/TOKEN?etcd=3.7&name=infra1&ip=10.0.0.1`: how to start a node now, given the state of its
 * cluster. It responds to every request that it receives, also to those that it rejects.
 */
export function bootHandler(
  clientOf: ClientOf,
  options: BootOptions,
): (request: BootRequest, response: BootResponse, refusal?: ConnectError) => Promise<void> {
  return async (request, response, refusal) => {
    const reply = await replyTo(clientOf, options, request, refusal);
    const work = options.workOf?.(request) ?? NO_WORK;
    work.owe(sendingUnits(reply.body.length) + units(reply.members ?? 0, WORK_LIMITS.listedMembers));
    if (reply.reason !== undefined) options.onRefused?.(request, reply.reason);
    sendStart(request, response, reply);
  };
}

async function replyTo(
  clientOf: ClientOf,
  { urlFor, onDefect }: BootOptions,
  request: BootRequest,
  refusal: ConnectError | undefined,
): Promise<BootReply> {
  const { method = '', url = '' } = request;
  const target = startTargetOf(url);
  const asked = readQuery(target.query);
  const { format } = asked;
  const serviceUrl = urlFor(request);
  try {
    if (refusal !== undefined) throw refusal;
    if (method !== 'GET' && method !== 'HEAD') return notAllowed(method, format);
    if (!URL.canParse(serviceUrl)) return wrong('the Host header is not a valid host name', format);
    if (target.token === undefined) return wrong(`invalid path ${target.shown}; use /_start/TOKEN`, format);
    if (asked.type === 'WRONG') return wrong(asked.problem, format);
    const { cluster, members } = await clientOf(request).listMembers({
      token: target.token,
      refuseExpired: true,
    });
    const { size = 0, formed = false } = cluster ?? {};
    const known = { complete: formed, size, members };
    return replyFor(asked, known, { serviceUrl, token: target.token });
  } catch (thrown) {
    const problem = startProblemOf(thrown, serviceUrl);
    if (problem.isDefect) onDefect(thrown);
    return problemReply(problem, format);
  }
}

function replyFor(
  { told, format }: Extract<ReturnType<typeof readQuery>, { type: 'ASKED' }>,
  cluster: KnownCluster,
  where: { readonly serviceUrl: string; readonly token: string },
): BootReply {
  const { data, ...node } = told;
  const answer = answerFor({ ...node, ...where }, cluster, data);
  const members = cluster.members.length;
  if (isRefusal(answer)) return { ...problemReply(takenProblem(answer), format), members };
  const reply =
    format === 'json' ? json(200, answerJson(answer, cluster)) : text(200, answerText(answer, format));
  return { ...reply, members };
}

const EXAMPLE = "use curl '.../_start/TOKEN?etcd=3.7&name=NAME&ip=ADDRESS&format=env'";

function wrong(message: string, format: AnswerFormat): BootReply {
  return problemReply({ status: 400, reason: 'INVALID_ARGUMENT', message, next: EXAMPLE }, format);
}

function notAllowed(method: string, format: AnswerFormat): BootReply {
  const message = `method ${method} is not allowed`;
  const reply = problemReply({ status: 405, reason: 'INVALID_ARGUMENT', message, next: 'use GET' }, format);
  return { ...reply, headers: { ...reply.headers, Allow: 'GET, HEAD' } };
}
