import { parseBytes } from '../../values/bytes.ts';
import { LONGEST_TIMER_MS, parseDuration } from '../../values/duration.ts';
import { listOf } from '../../values/list.ts';
import type { Flag } from './flag.ts';

/**
 * Setting is one value that the operator can set: with a flag, or with an environment variable if no flag is
 * given.
 */
export interface Setting<T> extends Omit<Flag<T>, 'flag' | 'old' | 'required' | 'many'> {
  /** Undefined: only the variable can set it, because flags are visible to every user of the machine. */
  readonly flag?: string;
  readonly env: string;
  /** The names of the same setting in etcd's own discovery service. */
  readonly old?: { readonly flag: string; readonly short: string; readonly env: string };
}

/** PresetSetting is a setting with a default. */
export interface PresetSetting<T> extends Setting<T> {
  readonly default: string;
}

/** In whole days, for help texts. */
export const LONGEST_TIMER = `${Math.floor(LONGEST_TIMER_MS / 86_400_000)}d`;

type Row<S> = Omit<S, 'env'> & { readonly env?: string };

/** Returns a row of a table. The variable is named after the flag: --data-dir becomes DISC_DATA_DIR. */
export function setting<T>(of: Row<PresetSetting<T>>): PresetSetting<T>;
export function setting<T>(of: Row<Setting<T>>): Setting<T>;
export function setting<T>(of: Row<Setting<T>>): Setting<T> {
  const { flag = '', env = `DISC_${flag.replaceAll('-', '_').toUpperCase()}` } = of;
  return { ...of, env };
}

export function parsePath(text: string): string | undefined {
  return text === '' || text.includes('\0') ? undefined : text;
}

/** The properties of a flag that takes the path of a file. */
export const FILE = { value: 'FILE', takes: 'a file', parse: parsePath } as const;

export function parseText(text: string): string | undefined {
  return text === '' ? undefined : text;
}

type Values<T> = Pick<Setting<T>, 'takes' | 'parse' | 'words'>;
type Named<T> = Values<T> & Pick<Setting<T>, 'value'>;

export function duration(least: string, most: string): Named<number> {
  const [from = 0, to = 0] = [parseDuration(least), parseDuration(most)];
  const examples = ['168h', '1h30m', '90s', '7d'].filter((each) => inRange(parseDuration(each), from, to));
  return {
    value: 'DURATION',
    takes: `a duration from ${least} to ${most}, like ${listOf(examples, 'or')}`,
    parse: (text) => inRange(parseDuration(text), from, to),
  };
}

export function count(most: number): Named<number> {
  return {
    value: 'NUMBER',
    takes: `a whole number from 1 to ${most}`,
    parse: (text) => (/^\d{1,15}$/.test(text) ? inRange(Number(text), 1, most) : undefined),
  };
}

export function bytes(least: string, most: string): Named<number> {
  const [from = 0, to = 0] = [parseBytes(least), parseBytes(most)];
  return {
    value: 'BYTES',
    takes: `a number of bytes from ${least} to ${most}, like 500MB or 2GiB`,
    parse: (text) => inRange(parseBytes(text), from, to),
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Values<T> {
  return {
    takes: listOf(words, 'or'),
    words,
    parse: (text) => words.find((word) => word === text),
  };
}

function inRange(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}
