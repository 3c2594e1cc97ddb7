import type { ReadFlags } from '../settings/read-flags.ts';
import { oneOf } from '../settings/tables/setting.ts';
import { escaped } from '../values/quote.ts';

/** The flag of every command whose result a program may use. */
export const OUTPUT = {
  flag: 'output',
  short: 'o',
  value: 'text|json',
  ...oneOf('text', 'json'),
  default: 'text',
  help: 'Output format: text for people, or json for programs (including errors, on standard error).',
} as const;

/**
 * Formats one line of JSON. Characters that could control a terminal are escaped, which makes no difference
 * to programs.
 */
export function jsonLine(value: unknown): string {
  const text = escaped(JSON.stringify(value), (found) =>
    // Characters beyond the first plane need two escapes.
    [...Array(found.length).keys()]
      .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${text}\n`;
}

/** Whether JSON was requested, even in an invalid call. */
export function wantsJson(given: ReadFlags['given']): boolean {
  return given.get(OUTPUT.flag)?.some(({ text }) => text === 'json') === true;
}
