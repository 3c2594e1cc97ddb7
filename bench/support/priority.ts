import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/**
 * Lets a process that sleeps most of the time go before all others, with util-linux's chrt, so that it is not late
 * because of them. False where that is not installed or not allowed.
 */
export function giveRealTimePriority(pid: number): Promise<boolean> {
  return exec('chrt', ['--all-tasks', '--rr', '--pid', '1', String(pid)]).then(
    () => true,
    () => false,
  );
}
