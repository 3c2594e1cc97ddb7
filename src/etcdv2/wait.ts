import { type Member, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import type { WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, liveCluster, present } from '../etcd/client.ts';
import type { Deadlines } from './deadlines.ts';
import { eventReply, JSON_TYPE, type Reply, registeredBody } from './reply.ts';
import type { WaitRequest } from './request.ts';
import { begin, type Response } from './responder.ts';

/** Why a watch is ended. One for all, as the error that an abort makes by itself takes longer than the wait. */
const OVER = 'the wait is over';

type Messages = AsyncIterator<WatchMembersResponse, unknown>;

/**
 * Waits for a registration. What can be answered at once is returned; otherwise the headers go out now and the
 * event follows, or an empty end: at the poll limit, when the service stops, when the token ends. Nodes then
 * ask again, and are told why. Waiters are told of registrations alone, as they take any event for one.
 *
 * Rejects, with nothing sent, when the service refuses the watch.
 */
export async function wait(
  client: DiscoveryClient,
  request: WaitRequest,
  response: Response,
  polls: Deadlines,
): Promise<Reply | undefined> {
  const abort = new AbortController();
  const end = (): void => abort.abort(OVER);
  // Leaving the messages does not end the watch; the signal does.
  response.once('close', end);
  try {
    // A watch that resumes is open to ended tokens, whose nodes must be told.
    const { revision } = (await liveCluster(client, request.token)).response;
    const afterRevision = request.waitIndex === 0n ? revision : request.waitIndex - 1n;
    const watch = client.watchMembers({ token: request.token, afterRevision }, { signal: abort.signal });
    const messages = watch[Symbol.asyncIterator]();
    const index = await startOf(messages, revision);
    const first = nextBody(messages, request);
    const early = await Promise.race([first, nextTurn()]);
    if (early !== 'WAITING' && !request.stream) return eventReply(early ?? '', index);
    begin(response, JSON_TYPE, index);
    const poll = polls.add(end);
    try {
      await pass(first, messages, request, response);
    } finally {
      polls.remove(poll);
    }
    return undefined;
  } finally {
    end();
  }
}

async function startOf(messages: Messages, revision: bigint): Promise<bigint> {
  const next = await messages.next();
  // Ends before it begins when the client is gone.
  if (next.done === true) return revision;
  const { update } = next.value;
  return update.case === 'started' ? update.value.revision : revision;
}

/** What is in the past arrives before the event loop turns, and is answered in one piece. */
function nextTurn(): Promise<'WAITING'> {
  return new Promise((resolve) => {
    setImmediate(resolve, 'WAITING');
  });
}

/** The body for the next registration of interest; undefined when the watch has ended. */
async function nextBody(messages: Messages, request: WaitRequest): Promise<string | undefined> {
  for (;;) {
    const next = await messages.next();
    if (next.done === true) return undefined;
    const { update } = next.value;
    if (update.case !== 'event' || update.value.type !== MemberEventType.REGISTERED) continue;
    const member = present(update.value.member);
    if (isAwaited(request, member)) return registeredBody(request.token, member);
  }
}

function isAwaited({ awaited }: WaitRequest, member: Member): boolean {
  return typeof awaited === 'object' ? awaited.id === member.id : awaited === 'ANY';
}

/** Passes events on as they come: one, or for a stream all of them. The headers are out, so it never rejects. */
async function pass(
  first: Promise<string | undefined>,
  messages: Messages,
  request: WaitRequest,
  response: Response,
): Promise<void> {
  try {
    let body = await first;
    while (body !== undefined && request.stream) {
      if (!response.write(body)) await drained(response);
      body = await nextBody(messages, request);
    }
    if (body === undefined) response.end();
    else response.end(body);
  } catch {
    response.end();
  }
}

function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}
