/**
 * Quotes external text for a terminal: bounded, without control characters, and without the password of a
 * URL.
 */
export function quote(text: string): string {
  // Drops everything before the host, because a password may contain any character and the scheme may be
  // missing.
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z]+:\/\//i.exec(text)?.[0] ?? '';
  const open = at < 0 || !text.slice(0, at).includes(':') ? text : `${scheme}...${text.slice(at)}`;
  const short = open.length > 100 ? `${open.slice(0, 100)}...` : open;
  return JSON.stringify(short).replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The characters that could end a line, change a text's direction or control a terminal. Not a literal: Node.js reads
 * the tables of Unicode for one wherever it stands, which takes as long as the rest of a short file.
 */
export const UNPRINTABLE = String.raw`[\p{Cc}\p{Cf}\u2028\u2029]`;

/** Replaces these characters. */
export function escaped(text: string, escape: (found: string) => string): string {
  // Most texts. To compile the pattern of the others takes longer.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(new RegExp(UNPRINTABLE, 'gu'), escape);
}

/** Makes these characters visible. */
export function printable(text: string): string {
  return escaped(text, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
