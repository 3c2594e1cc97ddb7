import assert from 'node:assert/strict';
import { slow } from '../slow.ts';
import type { Random } from '../store/support/random.ts';
import { runChecker, save } from './checker.ts';
import type { Clients } from './clients.ts';
import type { RecordedCall } from './history.ts';

/** How long clients call each store. */
const MINUTES = Number(process.env['ETCD_DISCOVERY_TEST_MINUTES'] ?? (slow ? 0.3 : 0.1));

/** Even on a slow machine. */
const LEAST_FAULTS = 3;

/** Runs one fault after the other for the length of the run, each during calls of the clients. */
export async function runFaults(
  clients: Clients,
  random: Random,
  fault: (i: number) => Promise<void>,
): Promise<void> {
  const end = Date.now() + MINUTES * 60_000;
  for (let i = 0; i < LEAST_FAULTS || Date.now() < end; i++) {
    await clients.answered(random.between(20, 100));
    await fault(i);
  }
  await clients.answered(20);
}

export async function assertLinearizable(
  path: string,
  history: readonly RecordedCall[],
  seed: number,
): Promise<void> {
  const { linearizable, text } = await runChecker(path, history);
  assert.ok(linearizable, linearizable ? '' : `${text}the whole history: ${save(history, seed)}`);
  console.log(text.trimEnd());
}

/** Flags of a service whose clients all share one address. */
export const UNLIMITED: readonly string[] = ['client-requests', 'client-new-tokens', 'client-bytes'].flatMap(
  (limit) => [`--${limit}`, 'off'],
);
