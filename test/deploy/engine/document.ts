import { readFileSync } from 'node:fs';

/** A block of commands, and the lines that it must print. */
export interface Block {
  readonly commands: string;
  readonly lines: readonly string[];
}

/** Returns the `sh` blocks of a document, each with the `text` block that follows it. */
export function blocksOf(file: string): Block[] {
  const pattern = /^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, commands = '', output = '']) => ({
    commands,
    lines: mask(output).split('\n').filter(Boolean),
  }));
}

const MARK = '=== block';

/** Returns a script that runs all blocks in one shell, and names the first command that fails and stops there. */
export function scriptOf(blocks: readonly Block[]): string {
  const steps = blocks.map(({ commands }, i) => `echo; echo '${MARK} ${i}'\n${commands}`);
  return `set -euo pipefail\ntrap 'echo "failed: $BASH_COMMAND"' ERR\n${steps.join('')}`;
}

/** Returns the end of what the last block that ran has printed. */
export const lastBlockOf = (output: string): string => output.slice(output.lastIndexOf(MARK)).slice(-3000);

/** Returns the documented lines that the commands did not print. */
export function unprinted(blocks: readonly Block[], output: string): string[] {
  const [, ...parts] = mask(output).split(new RegExp(`^${MARK} \\d+\n`, 'm'));
  return blocks.flatMap(({ lines }, i) => {
    const printed = new Set(parts[i]?.split('\n'));
    return lines.filter((line) => !printed.has(line));
  });
}

/** Masks what differs between runs. */
const mask = (text: string): string => text.replace(/\b[0-9a-f]{32}\b/g, 'TOKEN');
