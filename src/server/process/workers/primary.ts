import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../../settings/config.ts';
import type { Log, OpenLog } from '../../telemetry/log.ts';
import { mergeMetrics } from '../../telemetry/merge-metrics.ts';
import { notifySystemd } from '../notify-systemd.ts';
import { endAtOnce, firstSignal, switchLevel } from '../signals.ts';
import { WorkerProcess } from './worker-process.ts';

/** A worker that lived this long was healthy, and is replaced at once. */
const WELL_MS = 10_000;
/** The delay before an unhealthy worker is replaced, which doubles each time. */
const BACK_OFF_MS = { least: 500, most: 30_000 } as const;

/**
 * Runs workers that serve one port until a signal arrives: replaces those that exit, forwards their logs, and
 * gathers their metrics. Returns why it cannot, if they fail to start.
 */
export async function runPrimary(config: Config, { log, pass }: OpenLog): Promise<string | undefined> {
  const workers = new Map<number, WorkerProcess>();
  const tellAll = (message: Parameters<WorkerProcess['tell']>[0]): void => {
    for (const worker of workers.values()) worker.tell(message);
  };
  const gather = async (): Promise<string> => {
    const serving = [...workers].filter(([, worker]) => worker.isServing);
    const texts = await Promise.all(
      serving.map(async ([number, worker]) => [number, (await worker.metrics()) ?? ''] as const),
    );
    return `${mergeMetrics(new Map(texts))}\n${ownMetrics(serving.length, config.workers)}`;
  };
  const start = (number: number): WorkerProcess => {
    const worker = new WorkerProcess(number, { pass, gather });
    workers.set(number, worker);
    if (log.level !== config.logLevel) worker.tell({ type: 'LEVEL', level: log.level });
    return worker;
  };

  const stop = firstSignal((second) => {
    for (const worker of workers.values()) worker.kill();
    endAtOnce(second, log);
  });
  process.on('SIGUSR2', () => {
    switchLevel(log, config.logLevel);
    tellAll({ type: 'LEVEL', level: log.level });
  });
  // Each worker accepts connections from the shared socket itself. With Node's default, round robin, all
  // connections would pass through this process, accumulate here without a bound while the workers are full,
  // and hang when a worker dies.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });

  // One at first, so that a problem with starting is reported once.
  const first = start(1);
  const about = await first.serving;
  if (about === undefined) {
    return (await first.ended).problem ?? 'a worker exited before it could serve; its log has the reason';
  }
  log.info({ ...about, workers: config.workers }, 'serving');
  notifySystemd('READY=1', log);
  const stopping = new AbortController();
  const kept = Array.from({ length: config.workers }, (_, i) =>
    keep(i === 0 ? first : start(i + 1), { start: () => start(i + 1), log, stopping: stopping.signal }),
  );
  log.info({ signal: await stop }, 'stopping: waiting for running calls to finish');
  notifySystemd('STOPPING=1', log);
  stopping.abort();
  tellAll({ type: 'STOP' });
  await Promise.all(kept);
  log.info('stopped');
  return undefined;
}

/** Replaces the worker each time that it exits, until it is time to stop. */
async function keep(
  begun: WorkerProcess,
  { start, log, stopping }: { start: () => WorkerProcess; log: Log; stopping: AbortSignal },
): Promise<void> {
  let worker = begun;
  let backOffMs = 0;
  for (;;) {
    const { number, pid } = worker;
    const since = performance.now();
    if (await worker.serving) log.info({ worker: number, pid }, 'a worker is serving');
    const { code, signal, problem } = await worker.ended;
    if (stopping.aborted) return;
    const wasWell = performance.now() - since > WELL_MS;
    backOffMs = wasWell ? 0 : Math.min(BACK_OFF_MS.most, Math.max(BACK_OFF_MS.least, 2 * backOffMs));
    const how = problem ?? signal ?? `exit code ${code}`;
    log[problem === undefined && code === 0 ? 'info' : 'error'](
      { worker: number, pid },
      `a worker exited: ${how}; a new one starts in ${backOffMs} ms`,
    );
    await delay(backOffMs, undefined, { signal: stopping }).catch(() => {});
    if (stopping.aborted) return;
    worker = start();
  }
}

/** Returns what this process knows about its workers, in Prometheus' text format. */
function ownMetrics(serving: number, wanted: number): string {
  return `# HELP discovery_workers Number of workers that are serving.
# TYPE discovery_workers gauge
discovery_workers ${serving}

# HELP discovery_workers_wanted Configured number of workers (--workers).
# TYPE discovery_workers_wanted gauge
discovery_workers_wanted ${wanted}
`;
}
