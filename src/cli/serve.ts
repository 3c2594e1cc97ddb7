import { readConfig } from '../settings/config.ts';
import { SETTINGS, type Setting } from '../settings/settings.ts';
import type { Command, FlagShape } from './command.ts';
import { serveHelp } from './serve-help.ts';

/** Runs the service until a signal ends it. */
export const SERVE: Command = {
  name: 'serve',
  group: 'Service',
  summary: 'run the discovery service',
  flags: settingFlags(Object.values(SETTINGS)),
  async run(args, terminal) {
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
        const { runService } = await import('../server/process/run.ts');
        return runService(reading.config, reading.warnings, terminal.err);
      }
    }
  },
};

/** The flags of settings. Those that only a variable sets have none, and old names are not offered. */
export function settingFlags(settings: readonly Setting<unknown>[]): FlagShape[] {
  return settings.flatMap(({ flag, short, value, words, help }) =>
    flag === undefined
      ? []
      : [{ flag, ...(short !== undefined && { short }), value, ...(words !== undefined && { words }), help }],
  );
}
