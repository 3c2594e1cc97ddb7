import { createContextKey, createServiceImplSpec } from '@connectrpc/connect';
import { file_discovery_v1_error } from '../../../gen/discovery/v1/error_pb.ts';
import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { file_google_rpc_error_details } from '../../../gen/google/rpc/error_details_pb.ts';
import { bootHandler } from '../../boot/handler.ts';
import { etcdV2Gateway } from '../../etcdv2/gateway.ts';
import { etcdV3Gateway } from '../../etcdv3/gateway.ts';
import { healthService } from '../../grpc/health.ts';
import { reflectionServices } from '../../grpc/reflection.ts';
import { REQUEST_LIMITS } from '../../limits.ts';
import type { Assets } from '../../page/assets.ts';
import { pageHandler } from '../../page/handler.ts';
import type { CallHandler, PortRequest, RequestHead } from '../../port/port.ts';
import { QUOTA } from '../../rpc/caller.ts';
import { withHeartbeats } from '../../rpc/heartbeat.ts';
import { inProcessOperator, type LocalOperator } from '../../rpc/operator.ts';
import { NOTED } from '../../rpc/reports.ts';
import type { LocalService } from '../../rpc/service.ts';
import type { Config } from '../../settings/config.ts';
import type { Callers } from '../clients/callers.ts';
import { heldStreams } from '../clients/held-streams.ts';
import type { RequestClients } from '../clients/request-clients.ts';
import { allowCrossOrigin } from '../rpc/cors.ts';
import { rpcHandler } from '../rpc/handler.ts';
import type { Outcome } from '../rpc/outcome.ts';
import type { CallExchange, Exchange } from './exchange.ts';
import { answerBrowser } from './rpc-page.ts';
import { type ServicePages, servePage } from './service-pages.ts';

/** Answer answers a request on its surface, or with its refusal in the surface's format. */
export type AnswerExchange = (exchange: Exchange) => unknown;

export interface SurfacesOptions {
  readonly config: Config;
  readonly service: LocalService;
  readonly operator: LocalOperator;
  readonly clients: RequestClients;
  readonly callers: Callers;
  readonly pages: ServicePages;
  /** The store's ID, which replicas over one etcd share. */
  readonly clusterId: bigint;
  /** Ends long-running requests. */
  readonly stopping: AbortSignal;
  readonly onDefect: (defect: unknown) => void;
  /** The page's files. */
  readonly assets: Assets;
}

/** The request of a call. Undefined for calls in this process. */
const REQUEST = createContextKey<RequestHead | undefined>(undefined);

/** Surfaces answers everything: calls that are taken directly on their streams, and all other exchanges. */
export interface Surfaces {
  readonly calls: Pick<CallHandler, 'takes'> & { answer(exchange: CallExchange): unknown };
  readonly answer: AnswerExchange;
}

/**
 * Returns the handlers of everything that the service answers: RPCs, both dialects of etcd, the web page, and
 * the pages about the service.
 */
export function surfaces(options: SurfacesOptions): Surfaces {
  const { config, service, operator, clients, callers, pages, clusterId, stopping, onDefect } = options;
  const { clientOf, clientWith, valuesOf, workOf } = clients;
  const { version, notReady, urlFor, errorPage } = pages;
  const v3 = etcdV3Gateway(({ values }) => clientWith(values), {
    identity: { clusterId, memberId: clusterId },
    urlFor: ({ values }) => {
      const request = values.get(REQUEST);
      return request === undefined ? 'http://localhost' : urlFor(request);
    },
    signIn: config.auth.file === undefined ? undefined : (name, password) => callers.signIn(name, password),
    stopping,
    onDefect,
  });
  const api = [
    createServiceImplSpec<typeof DiscoveryService>(
      DiscoveryService,
      withHeartbeats(service, REQUEST_LIMITS.heartbeatInterval),
    ),
    createServiceImplSpec<typeof OperatorService>(OperatorService, operator),
    ...v3,
  ];
  // Without authentication no caller can be removed.
  const held =
    config.auth.mode === 'off'
      ? api
      : heldStreams(api, ({ values }, end) => {
          const request = values.get(REQUEST);
          return request === undefined ? () => {} : callers.hold(request, end);
        });
  const described = [...held, healthService(held, { notReady, stopping })];
  const details = [file_discovery_v1_error, file_google_rpc_error_details];
  const reflection = reflectionServices(described, { details, stopping });
  const rpc = rpcHandler(
    [...described, ...reflection],
    (request, outcome) => valuesOf(request).set(NOTED, outcome).set(REQUEST, request),
    { workOf: (values) => values.get(QUOTA) },
  );
  const pollLimitMs = config.pollLimit;
  const v2 = etcdV2Gateway(clientOf, { urlFor, workOf, pollLimitMs, version, onDefect, errorPage });
  const outcomes = new WeakMap<PortRequest, Outcome>();
  const notedClientOf = (request: PortRequest): ReturnType<typeof clientWith> =>
    clientWith(valuesOf(request).set(NOTED, outcomes.get(request)));
  const operatorOf = (request: PortRequest) =>
    inProcessOperator(operator, valuesOf(request).set(NOTED, outcomes.get(request)));
  const page = pageHandler(notedClientOf, options.assets, {
    version,
    urlFor,
    operatorOf,
    workOf,
    onDefect,
    lifetimes: config.policy,
    needsCredentials: config.auth.mode === 'all',
  });
  const boot = bootHandler(notedClientOf, {
    urlFor,
    workOf,
    onDefect,
    onRefused: (request, reason) => Object.assign(outcomes.get(request) ?? {}, { reason }),
  });
  const answer: AnswerExchange = (exchange) => {
    const { request, response, refusal } = exchange;
    const { surface } = exchange.route;
    switch (surface) {
      case 'rpc':
        return allowCrossOrigin(request, response) || answerBrowser(pages, request, response)
          ? undefined
          : rpc.request(request, response, exchange.outcome, refusal);
      case 'v2':
        if (exchange.route.kind === 'wait')
          response.on(
            'close',
            callers.hold(request, () => response.destroy()),
          );
        return v2(exchange, refusal);
      case 'page':
        outcomes.set(request, exchange.outcome);
        return page(request, response, refusal);
      case 'start':
        outcomes.set(request, exchange.outcome);
        return boot(request, response, refusal);
      default:
        return servePage(surface, pages, request, response, refusal);
    }
  };
  return {
    calls: {
      takes: rpc.takes,
      answer: ({ request, outcome, refusal }) => rpc.call(request, outcome, refusal),
    },
    answer,
  };
}
