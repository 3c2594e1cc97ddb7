import { readFileSync } from 'node:fs';

/** A block of commands, and the lines of which each has to be printed. */
export interface Block {
  readonly commands: string;
  readonly lines: readonly string[];
}

/** The `sh` blocks of a document, with the `text` block that follows one. */
export function blocksOf(file: string): Block[] {
  const pattern = /^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, commands = '', output = '']) => ({
    commands,
    lines: mask(output).split('\n').filter(Boolean),
  }));
}

const MARK = '=== block';

/** All blocks in one shell, which ends at the first that fails. */
export function scriptOf(blocks: readonly Block[]): string {
  const steps = blocks.map(({ commands }, i) => `echo; echo '${MARK} ${i}'\n${commands}`);
  return `set -euo pipefail\n${steps.join('')}`;
}

/** The lines that a document promises and its commands did not print. */
export function unprinted(blocks: readonly Block[], output: string): string[] {
  const [, ...parts] = mask(output).split(new RegExp(`^${MARK} \\d+\n`, 'm'));
  return blocks.flatMap(({ lines }, i) => {
    const printed = new Set(parts[i]?.split('\n'));
    return lines.filter((line) => !printed.has(line));
  });
}

/** What differs from run to run. */
const mask = (text: string): string => text.replace(/\b[0-9a-f]{32}\b/g, 'TOKEN');
