import type { FlagSet } from './flags.ts';
import { wrap } from './text/wrap.ts';

/** Described is what the help shows of a command. */
export interface Described<F extends FlagSet> {
  readonly name: string;
  readonly summary: string;
  /** Details beyond the summary, in lines that fit a terminal. */
  readonly details?: string;
  /** The required arguments. If the first is TOKEN, a token or its URL is accepted. */
  readonly args: readonly string[];
  readonly flags: F;
  readonly examples: readonly string[];
}

/** Returns the text of `new --help` and the like. */
export function commandHelp(
  { name, summary, details, args, flags, examples }: Described<FlagSet>,
  common: FlagSet,
): string {
  const parts = [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    `Usage: etcd-discovery ${[name, ...args].join(' ')} [flags]`,
    ...(details === undefined ? [] : [wrap(details, 96).join('\n')]),
    ...(Object.keys(flags).length === 0 ? [] : [`Flags:\n${flagLines(Object.values(flags))}`]),
    `The service:\n${flagLines(Object.values(common))}`,
    exampleLines(examples),
  ];
  return `${parts.join('\n\n')}\n`;
}

export function exampleLines(examples: readonly string[]): string {
  return `Examples:\n${examples.map((line) => `  etcd-discovery ${line}`).join('\n')}`;
}

/** A flag or a setting as the help shows it. */
interface Listed {
  readonly flag?: string;
  readonly short?: string;
  readonly env?: string;
  readonly old?: { readonly flag: string; readonly short: string; readonly env?: string };
  readonly value?: string;
  readonly default?: string;
  readonly required?: true;
  readonly many?: true;
  readonly help: string;
}

/** The widths of the columns. Without a width for variables, they follow the help text. */
interface Columns {
  readonly flag: number;
  readonly env: number;
  readonly help: number;
}

const PLAIN: Columns = { flag: 29, env: 0, help: 60 };
/** For settings, each of which has a variable. */
export const WITH_VARIABLES: Columns = { flag: 34, env: 24, help: 38 };

export function flagLines(flags: readonly Listed[], columns = PLAIN): string {
  return flags.map((flag) => entry(flag, columns)).join('\n');
}

function entry(listed: Listed, columns: Columns): string {
  const { flag, short, env = '', value = '' } = listed;
  const spelt = flag === undefined ? '(no flag)' : `--${flag} ${value}`.trimEnd();
  const name = `  ${short === undefined ? '   ' : `-${short},`} ${spelt}`;
  const variable = columns.env === 0 ? '' : env.padEnd(columns.env);
  const notes = notesOf(columns.env === 0 ? listed : { ...listed, env: '' });
  const lines = wrap([listed.help, ...notes].join(' '), columns.help);
  const indent = ' '.repeat(columns.flag + columns.env);
  const head = `${name.padEnd(columns.flag - 1)} ${variable}`;
  // A name that does not fit gets a line of its own.
  const fits = head.endsWith(' ') && head.length === indent.length;
  const [first = '', ...more] = fits ? lines : ['', ...lines];
  return [`${head}${first}`.trimEnd(), ...more.map((line) => `${indent}${line}`)].join('\n');
}

function notesOf({ many, env = '', old, default: preset, required }: Listed): string[] {
  return [
    ...(many === true ? ['Can be repeated.'] : []),
    ...(env === '' ? [] : [`Also: ${env}.`]),
    ...(old === undefined ? [] : [`Also: -${old.short}, --${old.flag}, ${old.env}.`]),
    ...(preset === undefined ? [] : [`(default ${preset})`]),
    ...(required === true ? ['(required)'] : []),
  ];
}
