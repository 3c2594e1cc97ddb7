// Pins programs to cores, like on two machines, if util-linux's taskset is installed.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Numbers and ranges, in taskset's format. */
export interface Cores {
  /** For the server. */
  readonly asked: string;
  /** For the clients: all other cores. */
  readonly nodes: string;
  readonly all: string;
}

/** Returns undefined without taskset, or with one core. */
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

/** Returns the start of a command that runs on these cores. */
export function pinning(cores: string): readonly string[] {
  return ['taskset', '-c', cores];
}

/** Pins this process, and everything that it starts later, to these cores. */
export async function pin(cores: string): Promise<void> {
  await exec('taskset', ['-acp', cores, String(process.pid)]);
}
