import type { Config } from '../../../settings/config.ts';
import type { Scrape } from '../../build-service.ts';
import { openLog } from '../../telemetry/log.ts';
import { endAtOnce, endOnDefect, firstSignal, switchLevel } from '../signals.ts';
import { tryStart } from '../try-start.ts';
import { type ToPrimary, type ToWorker, WORKER_NUMBER } from './messages.ts';

/**
 * Serves in this process, next to others on the same port, until the primary or a signal stops it. If the
 * primary is gone, node:cluster ends it. Returns the exit code.
 */
export async function runWorker(config: Config): Promise<number> {
  // The primary formats the lines for people.
  const { log, flush } = await openLog({ ...config, logFormat: 'json' }, Number(process.env[WORKER_NUMBER]));
  endOnDefect(log);
  const signalled = firstSignal((second) => endAtOnce(second, log));
  process.on('SIGUSR2', () => switchLevel(log, config.logLevel));

  const scrapes: Array<(text: string) => void> = [];
  let ownMetrics = async (): Promise<string> => '';
  const scrape: Scrape = (own) => {
    ownMetrics = own;
    return () =>
      new Promise((resolve) => {
        if (scrapes.push(resolve) === 1) tell({ type: 'GATHER_METRICS' });
      });
  };
  const told = new Promise<void>((resolve) => {
    process.on('message', (message: ToWorker) => {
      switch (message.type) {
        case 'STOP':
          return resolve();
        case 'LEVEL':
          log.level = message.level;
          return undefined;
        case 'TELL_METRICS':
          return void ownMetrics().then((text) => tell({ type: 'OWN_METRICS', text }));
        case 'METRICS':
          for (const answer of scrapes.splice(0)) answer(message.text);
          return undefined;
      }
    });
  });

  tell({ type: 'LISTENING' });
  const server = await tryStart(config, log, scrape);
  if (typeof server === 'string') {
    tell({ type: 'PROBLEM', problem: server });
  } else {
    tell({ type: 'SERVING', about: server.about });
    await Promise.race([told, signalled]);
    await server.stop();
  }
  await flush();
  // After all messages were sent, and in a separate turn, so that the exit code is already set.
  setImmediate(() => process.disconnect());
  return typeof server === 'string' ? 1 : 0;
}

function tell(message: ToPrimary): void {
  // Fails if the primary is gone, and then this process exits as well.
  process.send?.(message, undefined, undefined, () => {});
}
