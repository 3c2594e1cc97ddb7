import type { ReadFlags } from '../settings/read-flags.ts';
import { oneOf } from '../settings/tables/setting.ts';

/** The flag that every command has whose answer a program may want. */
export const OUTPUT = {
  flag: 'output',
  short: 'o',
  value: 'text|json',
  ...oneOf('text', 'json'),
  default: 'text',
  help: 'For people, or for programs (errors too, on standard error).',
} as const;

/** One line of JSON, without a character that could act on a terminal: as escapes they are the same to a program. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) =>
    // Beyond the first plane it takes two.
    [...Array(found.length).keys()]
      .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${text}\n`;
}

/** Whether JSON is asked for, also by a call that is wrong. */
export function wantsJson(given: ReadFlags['given']): boolean {
  return given.get(OUTPUT.flag)?.some(({ text }) => text === 'json') === true;
}
