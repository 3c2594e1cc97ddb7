import { type Given, type ReadFlags, readFlags, valueOf } from '../settings/read-flags.ts';
import type { AnyFlag, Flag } from '../settings/tables/flag.ts';
import { listOf } from '../values/list.ts';
import { quote } from '../values/quote.ts';

export type FlagSet = Readonly<Record<string, AnyFlag>>;

type ValueOf<F> =
  F extends Flag<infer T>
    ? F extends { readonly many: true }
      ? ReadonlyArray<Exclude<T, undefined>>
      :
          | Exclude<T, undefined>
          | (F extends { readonly default: string } | { readonly required: true } ? never : undefined)
    : boolean;

/** Values are the values of the flags, under the names that the set uses. */
export type Values<F extends FlagSet> = { readonly [Key in keyof F]: ValueOf<F[Key]> };

export type CallReading<F extends FlagSet> =
  | { readonly type: 'HELP' }
  /** One line: the given value, and what to use instead. */
  | { readonly type: 'WRONG'; readonly problem: string; readonly given: ReadFlags['given'] }
  | {
      readonly type: 'CALL';
      readonly values: Values<F>;
      readonly words: readonly string[];
      /** The flags from the arguments, without the environment. */
      readonly given: ReadFlags['given'];
    };

type Env = Readonly<Record<string, string | undefined>>;

/** Parses the arguments of a command: its flags, and exactly the words that it names. */
export function readCall<F extends FlagSet>(
  command: string,
  names: readonly string[],
  flags: F,
  args: readonly string[],
  env: Env,
): CallReading<F> {
  const see = `see etcd-discovery ${command} --help`;
  const { words, given, help, problems } = readFlags(Object.values(flags), args, see);
  if (help) return { type: 'HELP' };
  const values = readValues(flags, given, env, problems);
  const missing = names.slice(words.length);
  for (const { flag, ...rest } of Object.values<AnyFlag>(flags)) {
    if (rest.value === undefined) continue;
    const count = given.get(flag)?.length ?? 0;
    if (count === 0 && rest.required === true) missing.push(`--${flag} ${rest.value}`);
    if (count > 1 && rest.many !== true) problems.push(`--${flag} can be given only once`);
  }
  const extra = words[names.length];
  if (missing.length > 0) problems.push(`${command} requires ${listOf(missing, 'and')}; ${see}`);
  if (extra !== undefined) problems.push(`unexpected argument ${quote(extra)}; ${see}`);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'WRONG', problem, given };
  return { type: 'CALL', values, words, given };
}

/**
 * Reads the values: a flag overrides its variable, which overrides the default. If a flag is repeated, the
 * last counts.
 */
export function readValues<F extends FlagSet>(
  flags: F,
  given: ReadFlags['given'],
  env: Env,
  problems: string[],
): Values<F> {
  const values: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(flags)) {
    const all = given.get(flag.flag) ?? preset(flag, env);
    if (flag.value === undefined) values[key] = all.length > 0;
    else {
      const parsed = all.map((each) => valueOf(flag, each, problems));
      values[key] = flag.many === true ? parsed : parsed.at(-1);
    }
  }
  return values as Values<F>;
}

function preset(flag: AnyFlag, env: Env): readonly Given[] {
  if (flag.value === undefined) return [];
  const { env: name = '', default: usual } = flag;
  const text = env[name];
  if (text) return [{ source: name, text }];
  return usual === undefined ? [] : [{ source: 'default', text: usual }];
}
