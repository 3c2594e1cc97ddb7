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

/** Whether JSON is asked for, also by a call that is wrong. */
export function wantsJson(given: ReadFlags['given']): boolean {
  return given.get(OUTPUT.flag)?.some(({ text }) => text === 'json') === true;
}
