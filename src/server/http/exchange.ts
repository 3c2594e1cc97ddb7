import type { ConnectError } from '@connectrpc/connect';
import type { Http2Call, PortRequest, PortResponse, RequestHead, ResponseHead } from '../../port/port.ts';
import type { Leave } from '../clients/limiter.ts';
import type { Route } from '../route.ts';
import type { Outcome } from '../rpc/outcome.ts';

/** Exchange is a request and its response, with everything determined on arrival. */
export interface Exchange<
  Request extends RequestHead = PortRequest,
  Response extends ResponseHead = PortResponse,
> {
  readonly request: Request;
  readonly response: Response;
  readonly route: Route;
  /** The ID by which the logs identify the request. The response returns it. */
  readonly requestId: string;
  /** The address of its sender. */
  readonly remote: string | undefined;
  /** The error to answer with if the request exceeds a limit of its client. */
  readonly refusal: ConnectError | undefined;
  /** Called when the exchange is over. */
  readonly leave: Leave | undefined;
  /** Filled while the request is answered. */
  readonly outcome: Outcome;
}

/** CallExchange is a call that is answered directly on its stream. */
export type CallExchange = Exchange<Http2Call, Http2Call>;
/** AnyExchange is an exchange of either form, for code that needs only its heads. */
export type AnyExchange = Exchange<RequestHead, ResponseHead>;
