import type { Discovery } from '../discovery/discovery.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import { SteadyClock } from './steady-clock.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/**
 * Removes tokens that ended long ago, every `interval` ms. Returns a function that stops it after the sweep
 * in progress.
 */
export function startSweeper(
  discovery: Discovery,
  interval: number,
  {
    log,
    metrics,
    clock = new SteadyClock(),
  }: {
    readonly log: Log;
    readonly metrics: Pick<Metrics, 'swept'>;
    readonly clock?: Pick<SteadyClock, 'isSteady'>;
  },
): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isAway = false;
  let defect: string | undefined;
  let wasSteady = true;
  const sweep = async (): Promise<void> => {
    const begin = performance.now();
    let removed: number | undefined;
    try {
      removed = await discovery.sweep();
      if (removed > 0) log.info({ removed }, 'removed tokens whose retention is over');
    } catch (error) {
      const what = 'could not remove tokens whose retention is over; retrying later';
      if (error instanceof DiscoveryError && error.reason === 'STORE_UNAVAILABLE') {
        // Once per outage, which the store reports as well.
        if (!isAway) log.warn(`${what}: ${error.message}`);
        isAway = true;
      } else if (error instanceof DiscoveryError) {
        // Once: a damaged token remains so until somebody repairs it.
        if (error.message !== defect) log.error({ err: error }, what);
        defect = error.message;
      } else log.error({ err: error }, what);
    }
    if (removed !== undefined) isAway = false;
    metrics.swept(removed, (performance.now() - begin) / 1000);
    running = undefined;
  };
  const timer = setInterval(() => {
    if (running !== undefined) return;
    const isSteady = clock.isSteady();
    if (wasSteady && !isSteady) {
      log.warn(
        'the clock of this machine jumped; ended tokens are kept until the clock is back or has been steady for an hour',
      );
    }
    wasSteady = isSteady;
    if (isSteady) running = sweep();
  }, interval);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
