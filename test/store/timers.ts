import { createHook } from 'node:async_hooks';

/**
 * Watches the timers that are set, for one thing: those that wait long must not be left behind. From `leastMs`
 * on: the gRPC client has some of half an hour, for connections that nobody uses.
 */
export function trackLongTimers(leastMs = 60_000): {
  readonly left: () => number;
  readonly stop: () => void;
} {
  const live = new Set<number>();
  const hook = createHook({
    init(id, type, _trigger, resource) {
      if (type === 'Timeout' && delayOf(resource) > leastMs) live.add(id);
    },
    destroy(id) {
      live.delete(id);
    },
  }).enable();
  return { left: () => live.size, stop: () => hook.disable() };
}

/** Node keeps the delay of a timer under this name. */
function delayOf(timer: object): number {
  const delay: unknown = Reflect.get(timer, '_idleTimeout');
  return typeof delay === 'number' ? delay : 0;
}
