import { type Member, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { WatchMembersResponse } from '../../gen/discovery/v1/service_pb.ts';
import { type DiscoveryClient, liveCluster, present } from '../etcd/client.ts';
import type { Deadlines } from './deadlines.ts';
import { reasonOf } from './refusal.ts';
import { eventReply, JSON_TYPE, type Reply, registeredBody } from './reply.ts';
import type { WaitRequest } from './request.ts';
import { begin, type Response } from './responder.ts';

/** How long a wait leaves a service alone that has no store, or no room, now. */
const AWAY_MS = 1000;

/** Why a watch is ended. One for all, as the error that an abort makes by itself takes longer than the wait. */
const OVER = 'the wait is over';

/** What passes by itself. */
const NOT_NOW: ReadonlyArray<ReturnType<typeof reasonOf>> = [
  ErrorReason.STORE_UNAVAILABLE,
  ErrorReason.TOO_MANY_REQUESTS,
];

type Messages = AsyncIterator<WatchMembersResponse, unknown>;

/**
 * Waits for a registration. What can be answered at once is returned; otherwise the headers go out now and the
 * event follows, or an empty end: at the poll limit, when the service stops, when the token ends. Nodes then
 * ask again, and are told why. Waiters are told of registrations alone, as they take any event for one.
 *
 * A node whose wait for itself fails gives up, so no wait fails for the service being away: it is held while the
 * store is, and ended empty when it stops; and held while there is no room for a watch. Rejects, with nothing sent, when the service refuses the watch.
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
  } catch (thrown) {
    switch (reasonOf(thrown)) {
      case ErrorReason.SHUTTING_DOWN:
        return eventReply('', 0n);
      case ErrorReason.TOO_MANY_REQUESTS:
        // A node that waits for others asks again by itself.
        if (typeof request.awaited !== 'object') throw thrown;
        await hold(client, request.token, response, polls, abort);
        return undefined;
      case ErrorReason.STORE_UNAVAILABLE:
        await hold(client, request.token, response, polls, abort);
        return undefined;
      default:
        throw thrown;
    }
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

/** Keeps a client waiting until the service can say something of the token, and then has it ask again. */
async function hold(
  client: DiscoveryClient,
  token: string,
  response: Response,
  polls: Deadlines,
  abort: AbortController,
): Promise<void> {
  begin(response, JSON_TYPE, 0n);
  const poll = polls.add(() => abort.abort(OVER));
  let isAway = true;
  while (isAway && !abort.signal.aborted) {
    await sleep(AWAY_MS, abort.signal);
    // Not a mere read, which a service that stops still answers.
    const messages = client.watchMembers({ token }, { signal: abort.signal });
    isAway = await messages[Symbol.asyncIterator]()
      .next()
      .then(
        () => false,
        (thrown: unknown) => NOT_NOW.includes(reasonOf(thrown)),
      );
  }
  polls.remove(poll);
  response.end();
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake);
  });
}

function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}
