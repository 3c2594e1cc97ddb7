import { parseArgs } from 'node:util';
import { type Config, readConfig } from '../../server/config.ts';
import { quote } from '../../server/given.ts';
import { SETTINGS, type Setting } from '../../server/settings.ts';
import type { FlagShape, Terminal } from '../command.ts';
import { settingLines } from '../serve-help.ts';

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
  const wrong = (problem: string): number => {
    terminal.err(`etcd-discovery: ${problem}\n`);
    return 2;
  };
  const see = `see etcd-discovery ${call.name} --help`;
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  const settings = new Map<string, Setting<unknown>>();
  for (const setting of call.settings) {
    const names = setting.flag === undefined ? [] : [{ flag: setting.flag, short: setting.short }];
    for (const { flag, short } of [...names, ...(setting.old === undefined ? [] : [setting.old])]) {
      options[flag] = { type: 'string', ...(short !== undefined && { short }) };
      settings.set(flag, setting);
    }
  }
  const own = new Map(call.flags.map((each) => [each.flag, each]));
  for (const { flag, value } of call.flags)
    options[flag] = { type: value === undefined ? 'boolean' : 'string' };
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const words: string[] = [];
  const flags = new Map<string, string>();
  const forServe: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (name === 'help') {
      terminal.out(call.help);
      return 0;
    }
    const shape = own.get(name);
    const setting = settings.get(name);
    if (shape === undefined && setting === undefined) {
      return wrong(`${quote(rawName)}: there is no such flag; ${see}`);
    }
    if (shape !== undefined && shape.value === undefined) {
      if (value !== undefined) return wrong(`${rawName}: takes no value; ${see}`);
      flags.set(name, '');
      continue;
    }
    if (value === undefined || (!token.inlineValue && value.startsWith('-'))) {
      return wrong(`${rawName}: needs a value${setting === undefined ? '' : `; it takes ${setting.takes}`}`);
    }
    if (shape !== undefined) flags.set(name, value);
    else forServe.push(...(rawName.startsWith('--') ? [`${rawName}=${value}`] : [rawName, value]));
  }
  const reading = readConfig(forServe, terminal.env);
  if (reading.type !== 'CONFIG') return wrong(reading.type === 'WRONG' ? reading.problem : see);
  const read = { words, flags, config: reading.config };
  const problem = wrongWords(read);
  return problem === undefined ? read : wrong(`${problem}; ${see}`);
}

/** The settings that choose a store. */
export const STORE_SETTINGS: readonly Setting<unknown>[] = (
  Object.values(SETTINGS) as readonly Setting<unknown>[]
).filter(({ group, env }) => group === 'Storage' && env !== 'DISC_GCFREQ');

/** A command's own flags as its help lists them. */
export function ownLines(flags: readonly FlagShape[]): string {
  return settingLines(flags.map(({ flag, value = '', help }) => ({ flag, value, help, env: '' })));
}
