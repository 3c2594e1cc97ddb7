import { didYouMean } from '../values/nearest.ts';
import { quote } from '../values/quote.ts';
import type { AnyFlag, Flag } from './tables/flag.ts';

/**
 * Given is a value as it was written, and its source: `--addr`, `-a` or `DISC_ADDR`. The value of a switch is
 * ''.
 */
export interface Given {
  readonly source: string;
  readonly text: string;
}

export interface ReadFlags {
  /** The arguments that are not flags. */
  readonly words: readonly string[];
  /** The values by flag name, in the order of the arguments. */
  readonly given: ReadonlyMap<string, readonly Given[]>;
  readonly help: boolean;
  /** One line for each. */
  readonly problems: string[];
}

/** A long name with one dash, which Go's flags accept. Here its letters would be parsed as short flags. */
const ONE_DASH = /^-([a-z][a-z-]+)(?:=|$)/;

/**
 * Separates words, flags and their values, for every command. `see` names the help text to refer to;
 * `noSuchFlag` explains a flag that is not among `flags`.
 */
export function readFlags(
  flags: Iterable<AnyFlag>,
  args: readonly string[],
  see: string,
  noSuchFlag?: (source: string) => string | undefined,
): ReadFlags {
  if (!args.some((arg) => arg.startsWith('-'))) {
    return { words: args, given: new Map(), help: false, problems: [] };
  }
  // Not imported: it takes a twentieth of the time of a short command.
  const { parseArgs } = process.getBuiltinModule('node:util');
  const byName = new Map<string, AnyFlag>();
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {
    help: { type: 'boolean', short: 'h', multiple: true },
  };
  for (const each of flags) {
    for (const { flag, short } of each.old === undefined ? [each] : [each, each.old]) {
      const type = each.value === undefined ? 'boolean' : 'string';
      options[flag] = { type, multiple: true, ...(short !== undefined && { short }) };
      byName.set(flag, each);
    }
  }
  const words: string[] = [];
  const given = new Map<string, Given[]>();
  const problems: string[] = [];
  let help = false;
  for (const arg of args.slice(0, args.indexOf('--') >>> 0)) {
    const long = ONE_DASH.exec(arg)?.[1];
    if (long !== undefined && Object.hasOwn(options, long)) {
      problems.push(`-${long}: flags start with two dashes; write --${long}`);
    }
  }
  // Not strict: its error messages span several sentences and do not match ours.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName: source, value: text } = token;
    const flag = byName.get(name);
    if (name === 'help') help = true;
    else if (flag === undefined) {
      const names = Object.keys(options).map((known) => `--${known}`);
      const hint = didYouMean(source, names) || `; ${see}`;
      problems.push(noSuchFlag?.(source) ?? `unknown flag ${quote(source)}${hint}`);
    } else if (flag.value === undefined && text !== undefined)
      problems.push(`${source} does not take a value; ${see}`);
    else if (
      flag.value !== undefined &&
      (text === undefined || (!token.inlineValue && text.startsWith('-')))
    ) {
      problems.push(`${source} requires a value: ${flag.takes}`);
    } else given.set(flag.flag, [...(given.get(flag.flag) ?? []), { source, text: text ?? '' }]);
  }
  return { words, given, help, problems };
}

/** Parses a value. Undefined, with a problem added, if the flag does not accept it. */
export function valueOf<T>(
  flag: Pick<Flag<T>, 'takes' | 'parse' | 'words'>,
  { source, text }: Given,
  problems: string[],
): T | undefined {
  const parsed = flag.parse(text);
  if (parsed === undefined) {
    problems.push(`${source} ${quote(text)}: must be ${flag.takes}${didYouMean(text, flag.words ?? [])}`);
  }
  return parsed;
}
