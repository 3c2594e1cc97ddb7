import { readFileSync } from 'node:fs';
import { SETTINGS, type Setting } from '../../src/settings/settings.ts';

const UNITS = 'KiB|MiB|seconds|minutes|days';

/** A limit as written in the source. */
export interface Limit {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}

/** Returns the tables of src/limits.ts by heading. Omits a table that repeats another's values. */
export function limitTables(source = readFileSync('src/limits.ts', 'utf8')): Map<string, readonly Limit[]> {
  const tables = new Map<string, readonly Limit[]>();
  for (const [, heading = '', body = ''] of source.matchAll(
    /\/\*\*((?:(?!\*\/).)*)\*\/\nexport const \w+ = \{\n(.*?)\n\} as const;/gs,
  )) {
    const entry = /(?:\/\*\*(?<reason>(?:(?!\*\/).)*)\*\/\s*)?(?<name>\w+): (?<value>[^\n]*),/gs;
    const limits = [...body.matchAll(entry)].map(
      ({ groups: { name = '', value = '', reason = '' } = {} }) => ({
        name,
        value: written(value),
        reason: unwrapped(reason),
      }),
    );
    tables.set(
      unwrapped(heading),
      limits.filter(({ value }) => !value.startsWith('PRESETS.')),
    );
  }
  return tables;
}

/** Returns the text of a comment on one line. */
function unwrapped(comment: string): string {
  return comment.replace(/\s*\n\s*\*\s*/g, ' ').trim();
}

/** Returns the tables as Markdown. */
export function limitsMarkdown(): string {
  return [...limitTables()]
    .map(([heading, limits]) => {
      const rows = limits.map(({ name, value, reason }) => `| ${label(name)} | ${value} | ${reason} |`);
      return [heading, '', '| Limit | Value | Reason |', '|---|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

function label(name: string): string {
  const setting = (SETTINGS as Readonly<Record<string, Setting<unknown>>>)[name];
  return setting?.flag === undefined ? `\`${name}\`` : `\`--${setting.flag}\``;
}

/** Formats `64 * KiB` as 64 KiB, 2_000_000 as 2,000,000, and a text as code. */
function written(value: string): string {
  const [, count = '', unit = ''] = new RegExp(`^([\\d_]+)(?: \\* (${UNITS}))?$`).exec(value) ?? [];
  if (count === '') return value.replace(/^'(.*)'$/, '`$1`');
  const number = Number(count.replaceAll('_', ''));
  return `${number.toLocaleString('en-US')} ${number === 1 ? unit.replace(/s$/, '') : unit}`.trim();
}
