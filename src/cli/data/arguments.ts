import { type Config, readConfig } from '../../settings/config.ts';
import { SETTINGS, type Setting } from '../../settings/settings.ts';
import type { FlagShape, Terminal } from '../command.ts';
import { readTokens, valueOf } from '../flags.ts';
import { OUTPUT, wantsJson } from '../output.ts';
import { settingLines } from '../serve-help.ts';
import { Report } from './report.ts';

/** What a command takes: words, flags of its own, and those settings of `serve` that it needs. */
export interface Call {
  readonly name: string;
  readonly flags: readonly FlagShape[];
  readonly settings: readonly Setting<unknown>[];
  readonly help: string;
}

export interface Arguments {
  /** What is not a flag, in order. */
  readonly words: readonly string[];
  /** The command's own flags that are given; a switch is ''. */
  readonly flags: ReadonlyMap<string, string>;
  readonly config: Config;
  readonly report: Report;
}

/**
 * Reads a command's arguments; `wrongWords` says what is wrong with them together. A number is the exit code:
 * help was asked for, or the call is wrong.
 */
export function readArguments(
  call: Call,
  args: readonly string[],
  terminal: Terminal,
  wrongWords: (read: Arguments) => string | undefined,
): Arguments | number {
  const see = `see etcd-discovery ${call.name} --help`;
  const settings = call.settings.flatMap(({ flag, short, old, value, takes }) => [
    ...(flag === undefined ? [] : [{ flag, ...(short !== undefined && { short }), value, takes }]),
    ...(old === undefined ? [] : [{ ...old, value, takes }]),
  ]);
  const { words, texts, help, problems } = readTokens([...settings, ...call.flags, OUTPUT], args, see);
  const report = new Report(terminal, wantsJson(texts));
  if (help) {
    terminal.out(call.help);
    return 0;
  }
  for (const { source, text } of texts.get(OUTPUT.flag) ?? []) valueOf(OUTPUT, source, text, problems);
  const [wrongFlag] = problems;
  if (wrongFlag !== undefined) return report.wrong(wrongFlag);
  const flags = new Map<string, string>();
  for (const { flag } of call.flags) {
    const last = texts.get(flag)?.at(-1);
    if (last !== undefined) flags.set(flag, last.text);
  }
  const forServe = settings
    .flatMap(({ flag }) => texts.get(flag) ?? [])
    .flatMap(({ source, text }) => (source.startsWith('--') ? [`${source}=${text}`] : [source, text]));
  const reading = readConfig(forServe, terminal.env);
  if (reading.type !== 'CONFIG') return report.wrong(reading.type === 'WRONG' ? reading.problem : see);
  const read = { words, flags, config: reading.config, report };
  const problem = wrongWords(read);
  return problem === undefined ? read : report.wrong(`${problem}; ${see}`);
}

/** The settings that choose a store. */
export const STORE_SETTINGS: readonly Setting<unknown>[] = (
  Object.values(SETTINGS) as readonly Setting<unknown>[]
).filter(({ group, env }) => group === 'Storage' && env !== 'DISC_GCFREQ');

/** The flags of a command that are no settings, as its help lists them. */
export function ownLines(flags: readonly FlagShape[]): string {
  const lines = flags.map(({ flag, value = '', help }) => ({ flag, value, help, env: '' }));
  return settingLines([...lines, { ...OUTPUT, env: '' }]);
}
