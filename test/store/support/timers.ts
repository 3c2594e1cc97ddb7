import { createHook } from 'node:async_hooks';

/** Tracks timers with about this delay, which must not be left behind. The store may have other timers. */
export function trackTimers(aboutMs: number): { readonly left: () => number; readonly stop: () => void } {
  const live = new Set<number>();
  const hook = createHook({
    init(id, type, _trigger, resource) {
      if (type !== 'Timeout') return;
      const delay = delayOf(resource);
      if (delay > aboutMs - 60_000 && delay <= aboutMs) live.add(id);
    },
    destroy(id) {
      live.delete(id);
    },
  }).enable();
  return { left: () => live.size, stop: () => hook.disable() };
}

/** Returns the delay of a timer, which Node.js keeps in a private property. */
function delayOf(timer: object): number {
  const delay: unknown = Reflect.get(timer, '_idleTimeout');
  return typeof delay === 'number' ? delay : 0;
}
