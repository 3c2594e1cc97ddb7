import type { Config } from '../settings/config.ts';
import { settingsOfFlags } from '../settings/given.ts';
import { readConfig } from '../settings/read-config.ts';
import { readFlags } from '../settings/read-flags.ts';
import { flagsOf, SETTING_GROUPS, SETTINGS, type Setting, type SettingKey } from '../settings/settings.ts';
import type { Command } from './command.ts';
import { Report } from './data/report.ts';
import { EXIT } from './exit.ts';
import { type FlagSet, readValues, type Values } from './flags.ts';
import { exampleLines, flagLines, WITH_VARIABLES } from './help.ts';
import { OUTPUT, wantsJson } from './output.ts';
import type { Row } from './rows.ts';

/** DataCall is a running command about data. */
export interface DataCall<F extends FlagSet> {
  /** The arguments that are not flags. */
  readonly words: readonly string[];
  readonly flags: Values<F>;
  readonly config: Config;
  readonly report: Report;
}

/** DataCommand is a command that works on the data of a store, without the service. */
export interface DataCommand<F extends FlagSet> extends Row {
  /** The first lines of its help. */
  readonly intro: string;
  /** The usage lines. */
  readonly usage: readonly string[];
  readonly details: string;
  readonly flags: F;
  /** The settings of `serve` that it accepts as well. */
  readonly settings: readonly SettingKey[];
  readonly exitCodes: string;
  readonly examples: readonly string[];
  /** Returns what is wrong with the combination of arguments. */
  readonly wrong: (call: DataCall<F>) => string | undefined;
  /**
   * Runs the command and returns the exit code. It loads its dependencies itself, so that help and usage
   * errors are fast.
   */
  readonly run: (call: DataCall<F>) => Promise<number>;
}

/** The settings that select a store. */
export const STORE_SETTINGS = (Object.keys(SETTING_GROUPS.Storage) as SettingKey[]).filter(
  (key) => key !== 'gcfreq',
);

/** Returns the table row of a command about data. */
export function dataCommand<const F extends FlagSet>(spec: DataCommand<F>): Command {
  const settings: Setting<unknown>[] = [...spec.settings, 'config' as const].map((key) => SETTINGS[key]);
  const flags = [...Object.values(spec.flags), ...flagsOf(settings), OUTPUT];
  return {
    name: spec.name,
    group: spec.group,
    summary: spec.summary,
    flags,
    argument: 'FILE',
    async run(args, terminal) {
      const see = `see etcd-discovery ${spec.name} --help`;
      const { words, given, help, problems } = readFlags(flags, args, see);
      if (help) {
        terminal.out(dataHelp(spec, settings));
        return EXIT.DONE;
      }
      const report = new Report(terminal, wantsJson(given));
      const values = readValues({ ...spec.flags, output: OUTPUT }, given, {}, problems);
      const givens = settingsOfFlags(given, problems);
      const [problem] = problems;
      if (problem !== undefined) return report.wrong(problem);
      const reading = readConfig(givens, terminal.env);
      if (reading.type === 'WRONG') return report.wrong(reading.problem);
      if (reading.type === 'UNREADABLE') return report.wrongFile(reading.problem);
      const call = { words, flags: values as Values<F>, config: reading.config, report };
      const wrong = spec.wrong(call);
      return wrong === undefined ? spec.run(call) : report.wrong(`${wrong}; ${see}`);
    },
  };
}

function dataHelp(
  { intro, usage, details, flags, exitCodes, examples }: Omit<DataCommand<FlagSet>, 'wrong' | 'run'>,
  settings: readonly Setting<unknown>[],
): string {
  return `${intro}

Usage: ${usage.map((line) => `etcd-discovery ${line}`).join('\n       ')}

${details}

Flags:
${flagLines([...Object.values(flags), OUTPUT, ...settings], WITH_VARIABLES)}

${exitCodes}

${exampleLines(examples)}
`;
}
