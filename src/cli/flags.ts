import { parseArgs } from 'node:util';
import { quote } from '../values/quote.ts';
import type { FlagShape } from './command.ts';

/** A flag with a value. */
export interface Flag<T> extends FlagShape {
  readonly value: string;
  /** What a value must be, to go on after "takes". */
  readonly takes: string;
  /** Undefined refuses the text. */
  readonly parse: (text: string) => T | undefined;
  /** As it would be written. */
  readonly default?: string;
  /** The variable that says it when the flag does not. */
  readonly env?: string;
  readonly required?: true;
  /** Whether it may be given several times. */
  readonly many?: true;
}

/** A flag that is given or not. */
export interface Switch extends FlagShape {
  readonly value?: never;
}

export type FlagSet = Readonly<Record<string, Flag<unknown> | Switch>>;

type ValueOf<F> =
  F extends Flag<infer T>
    ? F extends { readonly many: true }
      ? ReadonlyArray<Exclude<T, undefined>>
      :
          | Exclude<T, undefined>
          | (F extends { readonly default: string } | { readonly required: true } ? never : undefined)
    : boolean;

/** What the flags say, under the names that the set has for them. */
export type Values<F extends FlagSet> = { readonly [Key in keyof F]: ValueOf<F[Key]> };

export type Reading<F extends FlagSet> =
  | { readonly type: 'HELP' }
  /** One line: what was given, and what to give instead. */
  | { readonly type: 'WRONG'; readonly problem: string; readonly texts: Tokens['texts'] }
  | {
      readonly type: 'CALL';
      readonly values: Values<F>;
      readonly words: readonly string[];
      /** The flags that the arguments have, not the environment. */
      readonly given: ReadonlySet<string>;
    };

/** Reads the arguments of a command: its flags, and exactly the words that it names. */
export function readCall<F extends FlagSet>(
  command: string,
  names: readonly string[],
  flags: F,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Reading<F> {
  const see = `see etcd-discovery ${command} --help`;
  const { words, texts, help, problems } = readTokens(Object.values(flags), args, see);
  if (help) return { type: 'HELP' };
  const values: Record<string, unknown> = {};
  const missing: string[] = [];
  for (const [key, flag] of Object.entries(flags)) {
    const given = texts.get(flag.flag) ?? [];
    if (flag.value === undefined) {
      values[key] = given.length > 0;
      continue;
    }
    const parsed = given.map(({ source, text }) => valueOf(flag, source, text, problems));
    const other = env[flag.env ?? ''] || flag.default;
    if (parsed.length === 0 && other !== undefined) {
      parsed.push(valueOf(flag, env[flag.env ?? ''] ? (flag.env ?? '') : 'default', other, problems));
    }
    if (parsed.length === 0 && flag.required === true) missing.push(`--${flag.flag} ${flag.value}`);
    if (parsed.length > 1 && flag.many !== true) problems.push(`--${flag.flag} is given more than once`);
    values[key] = flag.many === true ? parsed : parsed[0];
  }
  missing.unshift(...names.slice(words.length));
  const extra = words[names.length];
  if (missing.length > 0) problems.push(`${command} needs ${missing.join(' and ')}; ${see}`);
  if (extra !== undefined) problems.push(`${quote(extra)}: is one argument too many; ${see}`);
  const [problem] = problems;
  if (problem !== undefined) return { type: 'WRONG', problem, texts };
  return { type: 'CALL', values: values as Values<F>, words, given: new Set(texts.keys()) };
}

/** What a text says to a flag; undefined, and one problem more, when it is none of its values. */
export function valueOf<T>(
  flag: Pick<Flag<T>, 'takes' | 'parse'>,
  source: string,
  text: string,
  problems: string[],
): T | undefined {
  const parsed = flag.parse(text);
  if (parsed === undefined) problems.push(`${source} ${quote(text)}: takes ${flag.takes}`);
  return parsed;
}

/** What is read of a flag before its value is. */
export interface ReadShape {
  readonly flag: string;
  readonly short?: string;
  /** Undefined: a switch. */
  readonly value?: string;
  readonly takes?: string;
}

/** A value as it was written, and by what: `--size` or `-s`. That of a switch is ''. */
export interface Written {
  readonly source: string;
  readonly text: string;
}

export interface Tokens {
  readonly words: readonly string[];
  /** By the names of the flags, in order. */
  readonly texts: ReadonlyMap<string, readonly Written[]>;
  readonly help: boolean;
  /** Each a line; the last words of some are `see`. */
  readonly problems: string[];
}

/** Tells words from flags, and flags from their values. */
export function readTokens(flags: Iterable<ReadShape>, args: readonly string[], see: string): Tokens {
  const shapes = new Map([...flags].map((flag) => [flag.flag, flag]));
  const options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple: true }> = {
    help: { type: 'boolean', short: 'h', multiple: true },
  };
  for (const { flag, short, value } of shapes.values()) {
    const type = value === undefined ? 'boolean' : 'string';
    options[flag] = { type, multiple: true, ...(short !== undefined && { short }) };
  }
  const words: string[] = [];
  const texts = new Map<string, Written[]>();
  const problems: string[] = [];
  let help = false;
  // Not strict: its messages run over several sentences and do not fit ours.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName: source, value: text } = token;
    const shape = shapes.get(name);
    if (name === 'help') help = true;
    else if (shape === undefined) problems.push(`${quote(source)}: there is no such flag; ${see}`);
    else if (shape.value === undefined && text !== undefined) {
      problems.push(`${source}: takes no value; ${see}`);
    } else if (
      shape.value !== undefined &&
      (text === undefined || (!token.inlineValue && text.startsWith('-')))
    ) {
      problems.push(
        `${source}: needs a value; ${shape.takes === undefined ? see : `it takes ${shape.takes}`}`,
      );
    } else texts.set(name, [...(texts.get(name) ?? []), { source, text: text ?? '' }]);
  }
  return { words, texts, help, problems };
}
