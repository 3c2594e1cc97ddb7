// What a gateway pays for calling through the typed client instead of calling the handler itself.

import { create } from '@bufbuild/protobuf';
import { createContextValues } from '@connectrpc/connect';
import {
  DiscoveryService,
  type GetClusterRequest,
  GetClusterRequestSchema,
  GetClusterResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import { EVERYBODY, NO_QUOTA, QUOTA, RESOLVE_CALLER } from '../../src/rpc/caller.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import type { LocalService } from '../../src/rpc/service.ts';
import { type Spread, spread } from '../support/stats.ts';

export interface InProcessPlan {
  readonly rounds: number;
  readonly calls: number;
}

/** Microseconds a call, the awaiting included. */
export interface InProcessResult {
  readonly handlerMicros: Spread;
  /** With a message that is ready. */
  readonly clientMicros: Spread;
  /** With the fields of a message, which the client has to make. */
  readonly clientFromFieldsMicros: Spread;
  /** With a client made for the call, as for a caller who counts. */
  readonly clientOfCallerMicros: Spread;
}

export async function measureInProcess({ rounds, calls }: InProcessPlan): Promise<InProcessResult> {
  const response = create(GetClusterResponseSchema);
  const service = {
    getCluster: async (request: GetClusterRequest) => {
      if (request.token === '') throw new Error('the request got lost');
      return response;
    },
  };
  const handlers = Object.fromEntries(
    DiscoveryService.methods.map(({ localName }) => [
      localName,
      () => {
        throw new Error('not measured');
      },
    ]),
  );
  const handlersOfAll = { ...handlers, ...service } as unknown as LocalService;
  const client = inProcessClient(handlersOfAll);
  // As the service does it for each call of a client that its limits hold for.
  const valuesOfCaller = () => createContextValues().set(RESOLVE_CALLER, EVERYBODY).set(QUOTA, NO_QUOTA);
  const token = '0'.repeat(32);
  const request = create(GetClusterRequestSchema, { token });

  const micros = async (call: () => Promise<unknown>): Promise<number> => {
    const start = performance.now();
    for (let made = 0; made < calls; made += 1) await call();
    return ((performance.now() - start) * 1000) / calls;
  };
  const handler: number[] = [];
  const ready: number[] = [];
  const fromFields: number[] = [];
  const ofCaller: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const times = [
      await micros(() => service.getCluster(request)),
      await micros(() => client.getCluster(request)),
      await micros(() => client.getCluster({ token })),
      await micros(() => inProcessClient(handlersOfAll, valuesOfCaller()).getCluster(request)),
    ] as const;
    // The first round warms up.
    if (round === 0) continue;
    handler.push(times[0]);
    ready.push(times[1]);
    fromFields.push(times[2]);
    ofCaller.push(times[3]);
  }
  return {
    handlerMicros: spread(handler),
    clientMicros: spread(ready),
    clientFromFieldsMicros: spread(fromFields),
    clientOfCallerMicros: spread(ofCaller),
  };
}
