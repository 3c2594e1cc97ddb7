import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './root.mjs';

/**
 * Runs `work` in one process at a time, because `npm start` and `npm test` may start together. The lock is
 * outside the clone, so that a process ID from a container that shares the clone is not mistaken for one of
 * this machine.
 */
export async function alone(work) {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `etcd-discovery-prepare-${name}.lock`);
  for (let waits = 0; !take(lock); waits++) {
    if (waits === 10)
      console.error(
        `Waiting for another command in this clone to finish (if none is running, delete ${lock}).`,
      );
    await sleep(200);
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  await work();
  process.off('exit', release);
  release();
}

/**
 * Creates the lock file with our process ID in it. False if another process holds it, or has just died with
 * it.
 */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    // A new file may still be empty: its writer is alive.
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0) process.kill(holder, 0);
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true });
  }
  return false;
}
