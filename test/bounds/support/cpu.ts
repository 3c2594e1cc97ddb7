import { readFileSync } from 'node:fs';

/** What a process has worked so far, in ms: its own time, which does not pass while others have the CPU. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  // Linux counts in hundredths of a second, whatever its own clock is.
  return (user + system) * 10;
}

/** What a process works for something. */
export async function cpuOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs(pid);
  await work();
  return cpuMs(pid) - before;
}
