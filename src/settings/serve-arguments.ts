import { quote } from '../values/quote.ts';
import { type Env, settingsOfFlags } from './given.ts';
import { type ConfigReading, readConfig } from './read-config.ts';
import { readFlags } from './read-flags.ts';
import { flagsOf, SETTINGS, type Setting } from './settings.ts';

export type ServeReading = ConfigReading | { readonly type: 'HELP' };

const SEE = 'see etcd-discovery serve --help';
const ALL: readonly Setting<unknown>[] = Object.values(SETTINGS);

/** Reads the settings from the arguments after `serve` and the environment. A flag overrides a variable. */
export function readServeArguments(args: readonly string[], env: Env, pid = process.pid): ServeReading {
  const { words, given, help, problems } = readFlags(flagsOf(ALL), args, SEE, noSuchFlag);
  const [word] = words;
  if (word !== undefined) problems.push(wrongWord(word, args));
  const givens = settingsOfFlags(given, problems);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'WRONG', problem };
  return help ? { type: 'HELP' } : readConfig(givens, env, pid);
}

function wrongWord(word: string, args: readonly string[]): string {
  return ['-h', '--help'].includes(args[args.indexOf(word) - 1] ?? '')
    ? `-h ${quote(word)}: -h shows the help; set the public URL with --host`
    : `unexpected argument ${quote(word)}: serve takes only flags; ${SEE}`;
}

/** Explains a flag that would belong to a setting that only a variable can set, such as --etcd-password. */
function noSuchFlag(source: string): string | undefined {
  const flagLike = ({ env }: Setting<unknown>): string =>
    `--${env.replace('DISC_', '').replaceAll('_', '-').toLowerCase()}`;
  const secret = ALL.find((setting) => setting.flag === undefined && flagLike(setting) === source);
  return secret === undefined
    ? undefined
    : `${source}: other users of this machine can see flags; set ${secret.env} or use ${source}-file`;
}
