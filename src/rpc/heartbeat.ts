import { create } from '@bufbuild/protobuf';
import {
  WatchHeartbeatSchema,
  type WatchMembersResponse,
  WatchMembersResponseSchema,
} from '../../gen/discovery/v1/service_pb.ts';
import type { LocalService } from './service.ts';

const HEARTBEAT = create(WatchMembersResponseSchema, {
  update: { case: 'heartbeat', value: create(WatchHeartbeatSchema) },
});

type Watch = (...call: Parameters<LocalService['watchMembers']>) => AsyncGenerator<WatchMembersResponse>;

/** Returns the API for remote callers: its watches send a heartbeat after each interval without a message. */
export function withHeartbeats(service: LocalService, intervalMs: number): LocalService {
  const watch = service.watchMembers as Watch;
  return {
    ...service,
    watchMembers(request, context) {
      return filled(watch(request, context), intervalMs, HEARTBEAT);
    },
  };
}

/**
 * Yields the items, and the filler whenever no item arrived for the interval. Like its source it may be left
 * at any time.
 */
export async function* filled<T>(
  items: AsyncGenerator<T>,
  intervalMs: number,
  filler: T,
): AsyncGenerator<T, void, undefined> {
  for (;;) {
    const next = items.next();
    const waiting = { settled: false, wake: (): void => {} };
    const settle = (): void => {
      waiting.settled = true;
      waiting.wake();
    };
    // Not `Promise.race`, which would add another listener to `next` each time.
    next.then(settle, settle);
    while (!waiting.settled) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        waiting.wake = resolve;
        timer = setTimeout(resolve, intervalMs);
      });
      clearTimeout(timer);
      if (!waiting.settled) yield filler;
    }
    const result = await next;
    if (result.done === true) return;
    yield result.value;
  }
}
