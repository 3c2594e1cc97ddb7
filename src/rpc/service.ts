import { create } from '@bufbuild/protobuf';
import type { ContextValues, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  CreateTokenResponseSchema,
  DeleteTokenResponseSchema,
  DeregisterResponseSchema,
  type DiscoveryService,
  RegisterOutcome,
  RegisterResponseSchema,
  ReopenTokenResponseSchema,
  type WatchMembersRequest,
} from '../../gen/discovery/v1/service_pb.ts';
import type { Caller } from '../discovery/access.ts';
import { changeBytes, TOKEN_BASE } from '../discovery/bytes.ts';
import { requireListed, requireLive } from '../discovery/cluster.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { parseMemberId } from '../discovery/parse.ts';
import type { Written } from '../discovery/store.ts';
import { revision } from '../discovery/types.ts';
import { onEnd } from '../on-end.ts';
import { ADDRESS, enter, QUOTA, RESOLVE_CALLER, type ResolveCaller } from './caller.ts';
import { asDiscoveryError, connectError } from './errors.ts';
import { clusterMessage, clusterResponse, listResponse, memberMessage } from './messages.ts';
import { noteReason, noteToken, type Reports } from './reports.ts';
import { createRequest, registerCommand, reopenTtl } from './request.ts';
import { BARE_FACTS, type ServiceFacts, serviceInfo } from './service-info.ts';
import { type Spending, spend } from './spend.ts';
import { WatchMessages } from './watch-messages.ts';

/** CallContext is the part of a call's context that the handlers use: the signal and the caller. */
export interface CallContext extends Pick<HandlerContext, 'signal' | 'values'> {
  /** The HTTP method. Unset for calls in this process. */
  readonly requestMethod?: string;
  readonly responseHeader?: Headers;
}

/** LocalService is the API plus the methods for callers in this process only. */
export interface LocalService extends ServiceImpl<typeof DiscoveryService> {
  /** The store's revision. */
  revision(context: CallContext): Promise<bigint>;
}

/**
 * Returns the API over the core. Each call is parsed once, executed, and converted to a response. Errors are
 * thrown as ConnectErrors with one ErrorDetail; unexpected ones are also passed to `onDefect`.
 */
export function discoveryService(
  discovery: Discovery,
  onDefect: (defect: unknown) => void,
  { onRefused, onChanged, onChangeRefused }: Reports = {},
  facts: ServiceFacts = BARE_FACTS,
): LocalService {
  const infoMessage = serviceInfo(discovery.policy, facts);
  const refuse = (thrown: unknown, values: ContextValues): never => {
    const error = asDiscoveryError(thrown);
    const { reason } = error;
    onRefused?.(reason);
    noteReason(values, reason);
    if (reason === 'INTERNAL') onDefect(error.facts.cause ?? error);
    throw connectError(error, discovery);
  };

  const unary =
    <Request extends { readonly token?: string }, Response>(
      handler: (request: Request, resolveCaller: ResolveCaller, values: ContextValues) => Promise<Response>,
    ) =>
    (request: Request, { values }: CallContext): Promise<Response> => {
      noteToken(values, request.token);
      return handler(request, values.get(RESOLVE_CALLER), values).catch((thrown) => refuse(thrown, values));
    };

  /** Makes a change within the caller's quota and reports it. */
  const change = async <W extends Written>(
    values: ContextValues,
    caller: Caller,
    spending: Spending,
    make: () => Promise<W>,
  ): Promise<W> => {
    const written = await spend(values, spending, make);
    if (written.changed) onChanged?.(written, { name: caller.name, address: values.get(ADDRESS) });
    return written;
  };

  /** Wraps a unary method that makes a change. */
  const changing = <Request extends { readonly token?: string }, Response>(
    handler: (request: Request, resolveCaller: ResolveCaller, values: ContextValues) => Promise<Response>,
  ) =>
    unary(async (request: Request, resolveCaller, values) => {
      try {
        return await handler(request, resolveCaller, values);
      } catch (thrown) {
        onChangeRefused?.({
          reason: asDiscoveryError(thrown).reason,
          token: request.token,
          memberName: 'name' in request ? String(request.name) : undefined,
          by: { name: resolveCaller(undefined).name, address: values.get(ADDRESS) },
        });
        throw thrown;
      }
    });

  return {
    revision: ({ values }) =>
      discovery.revision(values.get(RESOLVE_CALLER)(undefined)).catch((thrown) => refuse(thrown, values)),

    createToken: changing(async (request, resolveCaller, values) => {
      const { command, caller, secrets } = createRequest(request, discovery, resolveCaller);
      values.get(QUOTA).makeToken();
      const spending = { bytes: TOKEN_BASE, kind: 'NEW_TOKEN' } as const;
      const making = () => discovery.createToken(command, caller);
      const { cluster, changed, revision } = await change(values, caller, spending, making);
      noteToken(values, cluster.token);
      return create(CreateTokenResponseSchema, {
        cluster: clusterMessage(cluster, discovery),
        revision,
        // An earlier attempt may have created the token.
        created: changed || command.repeats !== undefined,
        secrets,
      });
    }),

    getCluster: unary(async (request, resolveCaller) => {
      const { token, caller } = enter(request.token, resolveCaller);
      return clusterResponse(await discovery.getCluster(token, caller), discovery);
    }),

    register: changing(async (request, resolveCaller, values) => {
      const { token, caller } = enter(request.token, resolveCaller);
      const command = registerCommand(request);
      const registered = await change(values, caller, { bytes: changeBytes([command]) }, () =>
        discovery.register(token, command, caller),
      );
      const { cluster, member, rank, previous, outcome, revision } = registered;
      // Field by field, as in `clusterMessage`: a message made from an object costs several times as much.
      const response = create(RegisterResponseSchema);
      response.member = memberMessage(member, rank);
      response.outcome = RegisterOutcome[outcome];
      response.standby = rank > cluster.size;
      response.cluster = clusterMessage(cluster, discovery);
      response.revision = revision;
      if (previous !== undefined) response.previous = memberMessage(previous, rank);
      return response;
    }),

    listMembers: unary(async (request, resolveCaller) => {
      const { token, caller } = enter(request.token, resolveCaller);
      const which = request.refuseExpired ? requireLive : requireListed;
      const view = await discovery.listMembers(token, caller, which);
      return listResponse(view, discovery);
    }),

    watchMembers(request: WatchMembersRequest, { signal, values }: CallContext) {
      noteToken(values, request.token);
      try {
        const after = request.afterRevision === undefined ? undefined : revision(request.afterRevision);
        const { token, caller } = enter(request.token, values.get(RESOLVE_CALLER));
        const leave = onEnd(signal, values.get(QUOTA).watch());
        const items = discovery.watch(token, after, signal, caller);
        return new WatchMessages(items, { discovery, refuse: (thrown) => refuse(thrown, values), leave });
      } catch (thrown) {
        return refuse(thrown, values);
      }
    },

    deregister: changing(async (request, resolveCaller, values) => {
      const { token, caller } = enter(request.token, resolveCaller);
      const expected = request.expectedModRevision;
      const id = parseMemberId(request.memberId);
      const deregistered = await change(values, caller, { bytes: changeBytes([]) }, () =>
        discovery.deregister(token, id, expected === undefined ? undefined : revision(expected), caller),
      );
      return create(DeregisterResponseSchema, {
        member: memberMessage(deregistered.member, deregistered.rank),
        cluster: clusterMessage(deregistered.cluster, discovery),
        revision: deregistered.revision,
      });
    }),

    deleteToken: changing(async (request, resolveCaller, values) => {
      const { token, caller } = enter(request.token, resolveCaller);
      const { cluster, changed, revision } = await change(values, caller, { bytes: changeBytes([]) }, () =>
        discovery.deleteToken(token, caller),
      );
      return create(DeleteTokenResponseSchema, {
        cluster: clusterMessage(cluster, discovery),
        revision,
        deleted: changed,
      });
    }),

    async getServiceInfo(_request, { requestMethod, responseHeader }: CallContext) {
      if (requestMethod === 'GET') responseHeader?.set('Cache-Control', 'public, max-age=60');
      return infoMessage;
    },

    reopenToken: changing(async (request, resolveCaller, values) => {
      const { token, caller } = enter(request.token, resolveCaller);
      const ttl = reopenTtl(request, discovery.policy);
      const { cluster, revision } = await change(values, caller, { bytes: changeBytes([]) }, () =>
        discovery.reopenToken(token, ttl, caller),
      );
      return create(ReopenTokenResponseSchema, {
        cluster: clusterMessage(cluster, discovery),
        revision,
      });
    }),
  };
}
