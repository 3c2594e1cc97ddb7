import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  CreateTokenResponseSchema,
  DeleteTokenResponseSchema,
  DeregisterResponseSchema,
  type DiscoveryService,
  GetClusterResponseSchema,
  RegisterOutcome,
  RegisterResponseSchema,
  type WatchMembersRequest,
  type WatchMembersResponse,
  WatchMembersResponseSchema,
  WatchStartedSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { parseMemberId, parseToken, revision } from '../discovery/model.ts';
import type { WatchItem } from '../discovery/watch.ts';
import { asDiscoveryError, connectError } from './errors.ts';
import { clusterMessage, eventUpdate, memberMessage, membersMessage } from './messages.ts';
import { createCommand, registerCommand } from './request.ts';

/** All that the handlers need of a call's context: when to stop. */
export type CallContext = Pick<HandlerContext, 'signal'>;

/**
 * The API over the core: each call is parsed once, made, and answered. Errors leave as ConnectErrors with one
 * ErrorDetail; `onDefect` is told of those that nobody foresaw.
 */
export function discoveryService(
  discovery: Discovery,
  onDefect: (defect: unknown) => void,
): ServiceImpl<typeof DiscoveryService> {
  const refusal = (thrown: unknown): Error => {
    const error = asDiscoveryError(thrown);
    if (error.reason === 'INTERNAL') onDefect(error.facts.cause ?? error);
    return connectError(error, discovery.now());
  };

  const unary =
    <Request, Response>(handler: (request: Request) => Promise<Response>) =>
    async (request: Request): Promise<Response> => {
      try {
        return await handler(request);
      } catch (thrown) {
        throw refusal(thrown);
      }
    };

  return {
    createToken: unary(async (request) => {
      const { cluster, changed, revision } = await discovery.createToken(
        createCommand(request, discovery.policy),
      );
      return create(CreateTokenResponseSchema, {
        cluster: clusterMessage(cluster, discovery.now()),
        revision,
        created: changed,
      });
    }),

    getCluster: unary(async (request) => {
      const { cluster, revision } = await discovery.getCluster(parseToken(request.token));
      return create(GetClusterResponseSchema, {
        cluster: clusterMessage(cluster, discovery.now()),
        revision,
      });
    }),

    register: unary(async (request) => {
      const { cluster, member, previous, outcome, standby, revision } = await discovery.register(
        parseToken(request.token),
        registerCommand(request),
      );
      return create(RegisterResponseSchema, {
        member: memberMessage(member),
        outcome: RegisterOutcome[outcome],
        standby,
        cluster: clusterMessage(cluster, discovery.now()),
        revision,
        ...(previous !== undefined && { previous: memberMessage(previous) }),
      });
    }),

    listMembers: unary(async (request) => {
      const { cluster, revision } = await discovery.listMembers(parseToken(request.token));
      return membersMessage(cluster, revision, discovery.now());
    }),

    async *watchMembers(
      request: WatchMembersRequest,
      { signal }: CallContext,
    ): AsyncGenerator<WatchMembersResponse> {
      try {
        const after = request.afterRevision === undefined ? undefined : revision(request.afterRevision);
        for await (const item of discovery.watch(parseToken(request.token), after, signal)) {
          yield updateOf(item, discovery);
        }
      } catch (thrown) {
        throw refusal(thrown);
      }
    },

    deregister: unary(async (request) => {
      const expected = request.expectedModRevision;
      const { written, member } = await discovery.deregister(
        parseToken(request.token),
        parseMemberId(request.memberId),
        expected === undefined ? undefined : revision(expected),
      );
      return create(DeregisterResponseSchema, {
        member: memberMessage(member),
        cluster: clusterMessage(written.cluster, discovery.now()),
        revision: written.revision,
      });
    }),

    deleteToken: unary(async (request) => {
      const { cluster, revision } = await discovery.deleteToken(parseToken(request.token));
      return create(DeleteTokenResponseSchema, {
        cluster: clusterMessage(cluster, discovery.now()),
        revision,
      });
    }),
  };
}

function updateOf(item: WatchItem, discovery: Discovery): WatchMembersResponse {
  if (item.type === 'EVENT') return eventUpdate(item.event);
  const message = create(WatchMembersResponseSchema);
  message.update =
    item.type === 'SNAPSHOT'
      ? { case: 'snapshot', value: membersMessage(item.cluster, item.revision, discovery.now()) }
      : { case: 'started', value: create(WatchStartedSchema, { revision: item.revision }) };
  return message;
}
