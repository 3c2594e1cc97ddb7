// Which cores programs run on: as if on two machines, where util-linux's taskset is installed.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** As taskset writes them: numbers and ranges. */
export interface Cores {
  /** For what is asked. */
  readonly asked: string;
  /** For those who ask: all of the others. */
  readonly nodes: string;
  readonly all: string;
}

/** Undefined without taskset, or with one core. */
export async function twoCores(): Promise<Cores | undefined> {
  try {
    const { stdout } = await exec('taskset', ['-cp', String(process.pid)]);
    const all = stdout.slice(stdout.lastIndexOf(':') + 1).trim();
    const numbers = all.split(',').flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
    const [asked, ...others] = numbers;
    if (asked === undefined || others.length === 0) return undefined;
    return { asked: String(asked), nodes: others.join(','), all };
  } catch {
    return undefined;
  }
}

/** What a command begins with to run on these cores. */
export function pinning(cores: string): readonly string[] {
  return ['taskset', '-c', cores];
}

/** Has this process run on these cores, and what it starts from now on. */
export async function pin(cores: string): Promise<void> {
  await exec('taskset', ['-acp', cores, String(process.pid)]);
}
