import { nearest } from '../values/nearest.ts';
import { quote } from '../values/quote.ts';
import type { Given, ReadFlags } from './read-flags.ts';
import { SETTING_ENTRIES, type Setting, type SettingKey } from './settings.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** The settings that were given, and where. */
export type Givens = ReadonlyMap<SettingKey, Given>;

/** The settings among the flags. The last of several counts. */
export function settingsOfFlags(given: ReadFlags['given'], problems: string[]): Givens {
  return collect(({ flag = '' }) => given.get(flag) ?? [], problems);
}

/** The variables that are set; an empty one is not. Those beaten by a flag are left out, wrong or not. */
export function settingsOfVariables(env: Env, flags: Givens, problems: string[]): Givens {
  return collect(({ env: name, old }, key) => {
    if (flags.has(key)) return [];
    return [name, old?.env ?? ''].map((source) => ({ source, text: env[source] ?? '' })).filter(isSet);
  }, problems);
}

const isSet = ({ text }: Given): boolean => text !== '';

function collect(
  givensOf: (setting: Setting<unknown>, key: SettingKey) => readonly Given[],
  problems: string[],
): Givens {
  const givens = new Map<SettingKey, Given>();
  for (const [key, setting] of SETTING_ENTRIES) {
    const all = givensOf(setting, key);
    const last = all.at(-1);
    if (last === undefined) continue;
    problems.push(...twoNames(all, setting));
    givens.set(key, last);
  }
  return givens;
}

/** A setting with two names, given by both: which one is meant is not ours to guess. */
function twoNames(all: readonly Given[], { old }: Setting<unknown>): string[] {
  if (old === undefined) return [];
  const isOld = ({ source }: Given): boolean => [old.env, `--${old.flag}`, `-${old.short}`].includes(source);
  const [first] = all;
  const other = all.find((each) => first !== undefined && isOld(each) !== isOld(first));
  return other === undefined
    ? []
    : [`${first?.source} and ${other.source} are two names of one setting: give one of them`];
}

const PREFIX = 'DISC_';
const withoutPrefix = (name = ''): string => name.slice(PREFIX.length);

/** Warns of variables that look like settings and are not. */
export function unknownVariables(env: Env): string[] {
  // Those of the other commands, which may be set for them.
  const others = ['DISC_SERVER', 'DISC_CREDENTIALS', 'DISC_CACERT', 'DISC_CERT', 'DISC_KEY'];
  const known = new Set([...others, ...SETTING_ENTRIES.flatMap(([, { env, old }]) => [env, old?.env])]);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .sort()
    .map((name) => {
      const shown = /^\w{1,64}$/.test(name) ? name : quote(name);
      // Without the beginning that all share, which would make every name near.
      const meant = nearest(withoutPrefix(name), [...known].map(withoutPrefix));
      const hint = meant === undefined ? '' : `; did you mean ${PREFIX}${meant}?`;
      return `${shown} is set in the environment, and is not a setting of this service${hint}`;
    });
}
