import type { ConnectError } from '@connectrpc/connect';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import type { Leave } from '../clients/limiter.ts';
import type { Route } from '../route.ts';
import type { Outcome } from '../rpc/outcome.ts';

/** Exchange is a request and its response, with everything determined on arrival. */
export interface Exchange {
  readonly request: PortRequest;
  readonly response: PortResponse;
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
