/** What could end or forge a log line, or is left of bytes that were not UTF-8. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\ufffd]/u;

/** What has no place in a line for people: beside that, what turns a line's direction or does not show. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffd]/gu;

/** Outside text in a message: bounded, and on one line. */
export function quote(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return `'${short.replace(UNFIT, '?')}'`;
}
