import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// The corpus of a target: one input per line. Printable ASCII is literal; \n is a line feed, \\ a backslash, \xNN any
// other byte. Never delete inputs that were added after a failure; each run tries them first.

const fileOf = (target: string): string => join('test', 'fuzz', 'corpus', `${target}.txt`);

/** Returns the inputs of a target's file, in the order of its lines. */
export function readCorpus(target: string): Buffer[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'latin1').split('\n');
  return lines.slice(0, -1).map(fromLine);
}

export function writeCorpus(target: string, inputs: readonly Buffer[]): void {
  writeFileSync(fileOf(target), inputs.map((input) => `${toLine(input)}\n`).join(''), 'latin1');
}

export function toLine(input: Buffer): string {
  return input.toString('latin1').replace(/[^\x20-\x5b\x5d-\x7e]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\\') return '\\\\';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

export function fromLine(line: string): Buffer {
  const text = line.replace(/\\(n|\\|x[0-9a-f]{2})/g, (escape, what: string) => {
    if (what === 'n') return '\n';
    return what === '\\' ? '\\' : String.fromCharCode(parseInt(escape.slice(2), 16));
  });
  return Buffer.from(text, 'latin1');
}
