import { loadCommands } from '../../src/cli/catalog.ts';
import type { Command, Terminal } from '../../src/cli/command.ts';
import { SERVICE_FLAGS } from '../../src/cli/service-flags.ts';
import type { AnyFlag } from '../../src/settings/tables/flag.ts';
import { table } from './table.ts';

const COMMON: ReadonlySet<string> = new Set(Object.values(SERVICE_FLAGS).map(({ flag }) => flag));
/** Flags of data commands that are settings. docs/reference/settings.md lists them, and all flags of `serve`. */
const STORE_SETTING = /^(?:data-|etcd|config$|ttl$|max-|custom-)/;

export function serviceFlagsTable(): string {
  return flagsTable(Object.values(SERVICE_FLAGS));
}

/** Returns a section for each command of the groups. */
export async function commandSections(groups: ReadonlyArray<Command['group']>): Promise<string> {
  const commands = (await loadCommands()).filter(({ group }) => groups.includes(group));
  return (await Promise.all(commands.map(section))).join('\n\n');
}

async function section(command: Command): Promise<string> {
  const { name, summary } = command;
  const flags = command.flags.filter(({ flag }) => !COMMON.has(flag) && !isSetting(command, flag));
  const settings = command.flags.some(({ flag }) => isSetting(command, flag));
  const { usage, details } = await helpOf(command);
  const parts = [
    `## ${name}`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ['```text', usage, '```'].join('\n'),
    ...details,
    ...(flags.length === 0 ? [] : [flagsTable(flags)]),
    ...(settings ? [`${flags.length === 0 ? 'Its' : 'Its other'} flags are [settings](settings.md).`] : []),
  ];
  return parts.join('\n\n');
}

function isSetting({ name, group }: Command, flag: string): boolean {
  return name === 'serve' || (group === 'Data' && STORE_SETTING.test(flag));
}

/** Returns the parts of a command's help that its row lacks: its usage, and what it does beyond its summary. */
async function helpOf(command: Command): Promise<{ usage: string; details: readonly string[] }> {
  let help = '';
  const ignore = (): void => undefined;
  const terminal: Terminal = {
    env: {},
    out: (text) => {
      help += text;
    },
    err: ignore,
    columns: () => undefined,
    ask: undefined,
    status: { canShow: () => false, show: ignore, erase: ignore, leave: ignore },
    control: () => '',
  };
  await command.run(['--help'], terminal);
  const [, usage = '', ...rest] = help.split('\n\n');
  if (!usage.startsWith('Usage:')) throw new Error(`${command.name} --help has no usage`);
  // Lists have a heading, and only lists and examples follow them.
  const end = rest.findIndex((paragraph) => /^[A-Z][\w ]*:\n/.test(paragraph));
  const details = rest.slice(0, end < 0 ? undefined : end);
  return { usage: usage.replace(/^Usage: +/, '').replace(/^ +/gm, ''), details: details.map(detailMarkdown) };
}

/** A paragraph of the help. Indented lines keep their form. */
function detailMarkdown(paragraph: string): string {
  const lines = paragraph.trimEnd().split('\n');
  const isIndented = lines.every((line) => line.startsWith('  '));
  if (!isIndented) return escapeMarkdown(paragraph.replace(/\s+/g, ' '));
  return ['```text', ...lines.map((line) => line.slice(2)), '```'].join('\n');
}

/** Escapes angle brackets and stars. */
function escapeMarkdown(text: string): string {
  return text.replace(/[<*]/g, '\\$&').trim();
}

function flagsTable(flags: readonly AnyFlag[]): string {
  return table(['Flag', 'Variable', 'Default', 'Meaning'], flags.map(row));
}

function row(flag: AnyFlag): readonly string[] {
  const { value = '', short, help } = flag;
  const {
    env,
    default: preset,
    required,
    many,
  } = { ...flag } as Partial<Extract<AnyFlag, { value: string }>>;
  const names = [`--${flag.flag} ${value}`.trimEnd(), ...(short === undefined ? [] : [`-${short}`])];
  return [
    names.map((name) => `\`${name}\``).join(', '),
    env === undefined ? '' : `\`${env}\``,
    required === true ? '(required)' : preset === undefined ? '' : `\`${preset}\``,
    many === true ? `${help} Can be repeated.` : help,
  ];
}
