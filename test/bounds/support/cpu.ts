import { readFileSync } from 'node:fs';

/** Returns the CPU time of a process in ms, which does not pass while other processes run. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, can contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  // Linux counts in hundredths of a second, whatever its own clock is.
  return (user + system) * 10;
}

/** Returns the CPU time that a process uses for some work. */
export async function cpuOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs(pid);
  await work();
  return cpuMs(pid) - before;
}
