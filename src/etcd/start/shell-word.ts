/** Characters that are literal for every reader. */
export const PLAIN = /^[\w./:,@%+=-]+$/;

/** Quotes a word of a shell command. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
