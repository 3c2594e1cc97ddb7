import { nearest } from '../values/nearest.ts';
import { quote } from '../values/quote.ts';
import type { Given, ReadFlags } from './read-flags.ts';
import { SETTING_ENTRIES, type Setting, type SettingKey } from './settings.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Givens are the settings that were given, with their sources. */
export type Givens = ReadonlyMap<SettingKey, Given>;

/** Returns the settings among the flags. If one is repeated, the last counts. */
export function settingsOfFlags(given: ReadFlags['given'], problems: string[]): Givens {
  return collect(({ flag = '' }) => given.get(flag) ?? [], problems);
}

/**
 * Returns the settings among the environment variables. Empty variables count as unset. Those overridden by a
 * flag are skipped, valid or not.
 */
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

/** Reports a setting that is given by both of its names, because it is unclear which one is meant. */
function twoNames(all: readonly Given[], { old }: Setting<unknown>): string[] {
  if (old === undefined) return [];
  const isOld = ({ source }: Given): boolean => [old.env, `--${old.flag}`, `-${old.short}`].includes(source);
  const [first] = all;
  const other = all.find((each) => first !== undefined && isOld(each) !== isOld(first));
  return other === undefined
    ? []
    : [`${first?.source} and ${other.source} are two names for the same setting; set only one of them`];
}

const PREFIX = 'DISC_';
const withoutPrefix = (name = ''): string => name.slice(PREFIX.length);

/** Warns about variables that look like settings but are unknown. */
export function unknownVariables(env: Env): string[] {
  // Variables of the other commands, which may be set for those.
  const others = ['DISC_SERVER', 'DISC_CREDENTIALS', 'DISC_CACERT', 'DISC_CERT', 'DISC_KEY'];
  const known = new Set([...others, ...SETTING_ENTRIES.flatMap(([, { env, old }]) => [env, old?.env])]);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .sort()
    .map((name) => {
      const shown = /^\w{1,64}$/.test(name) ? name : quote(name);
      // Compared without the common prefix, which would make all names similar.
      const meant = nearest(withoutPrefix(name), [...known].map(withoutPrefix));
      const hint = meant === undefined ? '' : `; did you mean ${PREFIX}${meant}?`;
      return `ignoring ${shown}, which is not a setting${hint}`;
    });
}
