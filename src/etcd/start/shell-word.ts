/** What no reader takes for more than itself. */
export const PLAIN = /^[\w./:,@%+=-]+$/;

/** A word of a shell command. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
