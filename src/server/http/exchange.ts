import type { ConnectError } from '@connectrpc/connect';
import type { PortRequest, PortResponse } from '../../port/port.ts';
import type { Leave } from '../clients/limiter.ts';
import type { Route } from '../route.ts';
import type { Outcome } from '../rpc/outcome.ts';

/** A request and its answer, with all that was found out when it came. */
export interface Exchange {
  readonly request: PortRequest;
  readonly response: PortResponse;
  readonly route: Route;
  /** By what it is found in the logs; the answer tells it. */
  readonly requestId: string;
  /** The address of its sender. */
  readonly remote: string | undefined;
  /** What it is answered with when it is one too many of its client. */
  readonly refusal: ConnectError | undefined;
  /** Called when it is over. */
  readonly leave: Leave | undefined;
  /** Filled by what answers it. */
  readonly outcome: Outcome;
}
