import type { ConnectError } from '@connectrpc/connect';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { answerFor, isRefusal } from '../etcd/start/answer.ts';
import { answerJson } from '../etcd/start/answer-json.ts';
import { answerText } from '../etcd/start/answer-text.ts';
import type { KnownCluster } from '../etcd/start/member.ts';
import { type AnswerFormat, readQuery } from '../etcd/start/query.ts';
import { WORK_LIMITS } from '../limits.ts';
import { NO_WORK, sendingUnits, units, type Work } from '../work.ts';
import { problemOf, takenProblem } from './problem.ts';
import { type BootRequest, type BootResponse, json, problemReply, type Reply, send, text } from './reply.ts';
import { targetOf } from './target.ts';

export interface BootOptions {
  /** The URL by which the node can reach the service, without a slash at the end. */
  readonly urlFor: (request: BootRequest) => string;
  /** What the work of an answer is taken of. */
  readonly workOf?: (request: BootRequest) => Work;
  /** Is told why a request was refused, for its line of the log. */
  readonly onRefused?: (request: BootRequest, reason: string) => void;
  /** Is told of errors that nobody foresaw; their clients get a 500 that says so. */
  readonly onDefect: (defect: unknown) => void;
}

type ClientOf = (request: BootRequest) => DiscoveryClient;

/**
 * Serves `/_start/TOKEN?etcd=3.7&name=infra1&ip=10.0.0.1`: how a node is to be started now, by the state of its
 * cluster. Answers every request that it is given; with a refusal it answers that.
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
    send(request, response, reply);
  };
}

async function replyTo(
  clientOf: ClientOf,
  { urlFor, onDefect }: BootOptions,
  request: BootRequest,
  refusal: ConnectError | undefined,
): Promise<Reply> {
  const { method = '', url = '' } = request;
  const target = targetOf(url);
  const asked = readQuery(target.query);
  const { format } = asked;
  const serviceUrl = urlFor(request);
  try {
    if (refusal !== undefined) throw refusal;
    if (method !== 'GET' && method !== 'HEAD') return notAllowed(method, format);
    if (!URL.canParse(serviceUrl)) return wrong('the Host of the request is not a host', format);
    if (target.token === undefined) return wrong(`the path is /_start/TOKEN, not ${target.shown}`, format);
    if (asked.type === 'WRONG') return wrong(asked.problem, format);
    const { cluster, members } = await clientOf(request).listMembers({
      token: target.token,
      refuseExpired: true,
    });
    const { size = 0, formed = false } = cluster ?? {};
    const known = { complete: formed, size, members };
    return replyFor(asked, known, { serviceUrl, token: target.token });
  } catch (thrown) {
    const problem = problemOf(thrown, serviceUrl);
    if (problem.isDefect) onDefect(thrown);
    return problemReply(problem, format);
  }
}

function replyFor(
  { told, format }: Extract<ReturnType<typeof readQuery>, { type: 'ASKED' }>,
  cluster: KnownCluster,
  where: { readonly serviceUrl: string; readonly token: string },
): Reply {
  const { data, ...node } = told;
  const answer = answerFor({ ...node, ...where }, cluster, data);
  const members = cluster.members.length;
  if (isRefusal(answer)) return { ...problemReply(takenProblem(answer), format), members };
  const reply =
    format === 'json' ? json(200, answerJson(answer, cluster)) : text(200, answerText(answer, format));
  return { ...reply, members };
}

const EXAMPLE = "write it like curl '.../_start/TOKEN?etcd=3.7&name=NAME&ip=ADDRESS&format=env'";

function wrong(message: string, format: AnswerFormat): Reply {
  return problemReply({ status: 400, reason: 'INVALID_ARGUMENT', message, next: EXAMPLE }, format);
}

function notAllowed(method: string, format: AnswerFormat): Reply {
  const message = `${method} is not allowed here`;
  const reply = problemReply({ status: 405, reason: 'INVALID_ARGUMENT', message, next: 'use GET' }, format);
  return { ...reply, headers: { ...reply.headers, Allow: 'GET, HEAD' } };
}
