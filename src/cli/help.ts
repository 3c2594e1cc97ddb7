import type { Flag, FlagSet } from './flags.ts';
import { wrap } from './text/wrap.ts';

/** A command as its help tells of it. */
export interface Described<F extends FlagSet> {
  readonly name: string;
  readonly summary: string;
  /** What it does beyond its summary, in lines that fit a terminal. */
  readonly details?: string;
  /** What it needs beside flags. A first one of TOKEN takes a token or its URL. */
  readonly args: readonly string[];
  readonly flags: F;
  readonly examples: readonly string[];
}

/** `new --help` and the like. */
export function commandHelp(
  { name, summary, details, args, flags, examples }: Described<FlagSet>,
  common: FlagSet,
): string {
  const parts = [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    `Usage: etcd-discovery ${[name, ...args].join(' ')} [flags]`,
    ...(details === undefined ? [] : [wrap(details, 96).join('\n')]),
    ...(Object.keys(flags).length === 0 ? [] : [`Flags:\n${flagLines(flags)}`]),
    `The service:\n${flagLines(common)}`,
    `Examples:\n${examples.map((line) => `  etcd-discovery ${line}`).join('\n')}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function flagLines(flags: FlagSet): string {
  return Object.values(flags)
    .map((flag) => {
      const name = `${flag.short === undefined ? '   ' : `-${flag.short},`} --${flag.flag} ${flag.value ?? ''}`;
      const notes = flag.value === undefined ? [] : notesOf(flag);
      const [first, ...more] = wrap([flag.help, ...notes].join(' '), 60);
      const lines = [
        `  ${name.trimEnd().padEnd(26)} ${first ?? ''}`,
        ...more.map((line) => `${' '.repeat(29)}${line}`),
      ];
      return lines.join('\n');
    })
    .join('\n');
}

function notesOf(flag: Flag<unknown>): string[] {
  return [
    ...(flag.many === true ? ['May be given several times.'] : []),
    ...(flag.env === undefined ? [] : [`Also: ${flag.env}.`]),
    ...(flag.default === undefined ? [] : [`(default ${flag.default})`]),
    ...(flag.required === true ? ['(required)'] : []),
  ];
}
