import { readServeArguments } from '../settings/serve-arguments.ts';
import { flagsOf, SETTINGS } from '../settings/settings.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { ROWS } from './rows.ts';
import { serveHelp } from './serve-help.ts';

/** Runs the service until a signal ends it. */
export const SERVE: Command = {
  ...ROWS.serve,
  flags: flagsOf(Object.values(SETTINGS)),
  async run(args, terminal) {
    const reading = readServeArguments(args, terminal.env);
    switch (reading.type) {
      case 'HELP':
        terminal.out(serveHelp());
        return EXIT.DONE;
      case 'WRONG':
        terminal.err(`etcd-discovery: ${reading.problem}\n`);
        return EXIT.WRONG;
      case 'UNREADABLE':
        terminal.err(`etcd-discovery: ${reading.problem}\n`);
        return EXIT.FAILED;
      case 'CONFIG': {
        // Loaded here, so that help and usage errors are fast.
        const { runService } = await import('../server/process/run.ts');
        return runService(reading.config, reading.warnings, terminal.err);
      }
    }
  },
};
