import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './root.mjs';

/**
 * Runs `work` in one process at a time: `npm start` and `npm test` may begin together. The lock lies outside the
 * clone, where a process in a container that shares it is not taken for one of ours.
 */
export async function alone(work) {
  const name = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `etcd-discovery-prepare-${name}.lock`);
  for (let waits = 0; !take(lock); waits++) {
    if (waits === 10) console.error(`Waiting for another command here (when there is none, delete ${lock}).`);
    await sleep(200);
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  await work();
  process.off('exit', release);
  release();
}

/** Makes the lock file with our process id in it. False when another process holds it, or has just died with it. */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    // A file just made may still be empty: its writer lives.
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0) process.kill(holder, 0);
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true });
  }
  return false;
}
