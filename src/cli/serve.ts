import { readConfig } from '../server/config.ts';
import type { Terminal } from './run.ts';
import { serveHelp } from './serve-help.ts';

/** `etcd-discovery serve`: runs until a signal ends it. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readConfig(args, terminal.env);
  switch (reading.type) {
    case 'HELP':
      terminal.out(serveHelp());
      return 0;
    case 'WRONG':
      terminal.err(`etcd-discovery: ${reading.problem}\n`);
      return 2;
    case 'CONFIG': {
      // Loaded here, so that help and a wrong call are answered at once.
      const { runService } = await import('../server/process.ts');
      return runService(reading.config, reading.warnings, terminal.err);
    }
  }
}
