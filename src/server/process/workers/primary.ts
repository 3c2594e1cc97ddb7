import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../../settings/config.ts';
import type { Log, OpenLog } from '../../telemetry/log.ts';
import { mergeMetrics } from '../../telemetry/merge-metrics.ts';
import { notifySystemd } from '../notify-systemd.ts';
import { endAtOnce, firstSignal, switchLevel } from '../signals.ts';
import { WorkerProcess } from './worker-process.ts';

/** A worker that lived for so long was well, and another takes its place at once. */
const WELL_MS = 10_000;
/** Until another is started in the place of one that was not; doubled each time. */
const BACK_OFF_MS = { least: 500, most: 30_000 } as const;

/**
 * Has workers serve, all on one port, until a signal comes: starts another for each that ends, passes on what they
 * log, and gathers their metrics. Returns why it cannot.
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
  // Each worker takes connections from the shared socket by itself. By turns, as is Node's preset, they would all go
  // through this process, be held here without a bound while the workers are full, and hang when a worker dies.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });

  // One at first, so that what keeps it from starting is told once.
  const first = start(1);
  const about = await first.serving;
  if (about === undefined) {
    return (await first.ended).problem ?? 'a worker has ended before it could serve; its log says why';
  }
  log.info({ ...about, workers: config.workers }, 'serving');
  notifySystemd('READY=1', log);
  const stopping = new AbortController();
  const kept = Array.from({ length: config.workers }, (_, i) =>
    keep(i === 0 ? first : start(i + 1), { start: () => start(i + 1), log, stopping: stopping.signal }),
  );
  log.info({ signal: await stop }, 'stopping: calls under way may finish');
  notifySystemd('STOPPING=1', log);
  stopping.abort();
  tellAll({ type: 'STOP' });
  await Promise.all(kept);
  log.info('stopped');
  return undefined;
}

/** Starts another worker in the place of one that has ended, again and again, until it is time to stop. */
async function keep(
  begun: WorkerProcess,
  { start, log, stopping }: { start: () => WorkerProcess; log: Log; stopping: AbortSignal },
): Promise<void> {
  let worker = begun;
  let backOffMs = 0;
  for (;;) {
    const { number, pid } = worker;
    const since = performance.now();
    if (await worker.serving) log.info({ worker: number, pid }, 'a worker serves');
    const { code, signal, problem } = await worker.ended;
    if (stopping.aborted) return;
    const wasWell = performance.now() - since > WELL_MS;
    backOffMs = wasWell ? 0 : Math.min(BACK_OFF_MS.most, Math.max(BACK_OFF_MS.least, 2 * backOffMs));
    const how = problem ?? signal ?? `exit code ${code}`;
    log[problem === undefined && code === 0 ? 'info' : 'error'](
      { worker: number, pid },
      `a worker has ended: ${how}; the next one takes its place in ${backOffMs} ms`,
    );
    await delay(backOffMs, undefined, { signal: stopping }).catch(() => {});
    if (stopping.aborted) return;
    worker = start();
  }
}

/** What this process knows of its workers, in Prometheus' text format. */
function ownMetrics(serving: number, wanted: number): string {
  return `# HELP discovery_workers Workers that serve.
# TYPE discovery_workers gauge
discovery_workers ${serving}

# HELP discovery_workers_wanted How many should (--workers).
# TYPE discovery_workers_wanted gauge
discovery_workers_wanted ${wanted}
`;
}
