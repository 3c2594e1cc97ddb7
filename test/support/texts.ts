import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text that people read, and where it is. */
export interface Text {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Returns the files below a path whose names match. */
export function filesBelow(path: string, name: RegExp): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Returns the string literals of a program that have several words, and its comments. */
export function textsOfCode(file: string): { literals: Text[]; comments: Text[] } {
  const source = readFileSync(file, 'utf8');
  const at = (index: number): Pick<Text, 'file' | 'line'> => ({ file, line: lineOf(source, index) });
  const literals: Text[] = [];
  const comments: Text[] = [];
  for (const { index, 0: token } of source.matchAll(TOKEN)) {
    if (/^\/[/*]/.test(token)) comments.push({ ...at(index), text: withoutMarks(token) });
    else if (/^['"]/.test(token)) literals.push({ ...at(index), text: token.slice(1, -1) });
    else if (token.startsWith('`')) {
      // Expressions are left out, so texts of templates inside them are too: those are few, and short.
      literals.push({ ...at(index), text: token.slice(1, -1).replaceAll(/\$\{[^{}]*\}/g, '…') });
    }
  }
  return { literals: literals.filter(({ text }) => text.includes(' ')), comments: joined(comments) };
}

/** Returns the comments of a proto file. */
export function textsOfProto(file: string): Text[] {
  const source = readFileSync(file, 'utf8');
  const comments = [...source.matchAll(/\/\/[^\n]*/g)].map(({ index, 0: token }) => ({
    file,
    line: lineOf(source, index),
    text: withoutMarks(token),
  }));
  return joined(comments);
}

/**
 * Returns the paragraphs, list items and table rows of a Markdown file, without code, heads of tables, and the names of
 * tests, which a document repeats as they are.
 */
export function textsOfMarkdown(file: string): Text[] {
  const source = readFileSync(file, 'utf8').replaceAll(
    /^( *)```.*?^\1```|^\|[^\n]*\n(?=\|[-|: ]+\n)|`test\/[^`\n]+`: [^\n]*?(?=<br>| \|)/gms,
    (text) => text.replaceAll(/[^\n]/g, ''),
  );
  return [...source.matchAll(/^(?! {4}|\s*$)(?:\|.*|.+(?:\n(?![ ]{4}|\s*(?:[-*|#]|\d+\.|$)).+)*)/gm)].map(
    ({ index, 0: text }) => ({
      file,
      line: lineOf(source, index),
      text: text.replaceAll(/`[^`]*`/g, '`code`').replaceAll(/\s+/g, ' '),
    }),
  );
}

// Comments, strings, templates and regular expressions. The last are matched so that their quotes start no string.
const TOKEN = new RegExp(
  [
    /\/\/[^\n]*|\/\*.*?\*\//,
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/,
    /`(?:[^`\\$]|\\.|\$(?!\{)|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\})*`/,
    /(?<=[(,=:[!&|?{};\n] *|return )\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gs',
);

/** Joins the comments on successive lines, which form one text. */
function joined(comments: readonly Text[]): Text[] {
  const texts: Text[] = [];
  let next = 0;
  for (const { file, line, text } of comments) {
    const before = texts.at(-1);
    if (before !== undefined && line === next) {
      texts[texts.length - 1] = { ...before, text: `${before.text} ${text}`.trim() };
    } else texts.push({ file, line, text });
    next = line + 1;
  }
  return texts;
}

function withoutMarks(comment: string): string {
  return comment
    .replaceAll(/^\/\*\*?|\*\/$|^\/\/|^ *\*(?!\/)/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function lineOf(source: string, index: number): number {
  return source.slice(0, index).split('\n').length;
}
