import { DiscoveryError } from '../../discovery/errors.ts';
import { listenProblem } from '../../port/listen-problem.ts';
import type { Config } from '../../settings/config.ts';
import type { Scrape } from '../build-service.ts';
import { type RunningServer, startServer } from '../serve.ts';
import type { Log } from '../telemetry/log.ts';
import { readServerTls } from '../tls-files.ts';

/** Starts the service, or returns for the operator why it cannot start. Rethrows unexpected errors. */
export async function tryStart(config: Config, log: Log, scrape?: Scrape): Promise<RunningServer | string> {
  const tls = config.tls && readServerTls(config.tls);
  if (typeof tls === 'string') return tls;
  try {
    return await startServer(config, log, { tls, scrape });
  } catch (error) {
    if (error instanceof DiscoveryError) return error.message;
    const problem = listenProblem(error, config.listen, '--addr');
    if (problem === undefined) throw error;
    return problem;
  }
}
