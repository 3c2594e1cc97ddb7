import assert from 'node:assert/strict';
import { slow } from '../slow.ts';
import type { Random } from '../store/support/random.ts';
import { judge, keep } from './checker.ts';
import type { Clients } from './clients.ts';
import type { Recorded } from './history.ts';

/** How long clients call over one store. */
const MINUTES = Number(process.env['ETCD_DISCOVERY_TEST_MINUTES'] ?? (slow ? 0.3 : 0.1));

/** However slow the machine is. */
const LEAST_FAULTS = 3;

/** Lets one fault after the other happen for as long as the run is to be, each amid the calls of the clients. */
export async function during(
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
  history: readonly Recorded[],
  seed: number,
): Promise<void> {
  const { linearizable, text } = await judge(path, history);
  assert.ok(linearizable, linearizable ? '' : `${text}the whole history: ${keep(history, seed)}`);
  console.log(text.trimEnd());
}

/** Flags of a service that all clients call from one address. */
export const UNLIMITED: readonly string[] = ['client-requests', 'client-new-tokens', 'client-bytes'].flatMap(
  (limit) => [`--${limit}`, 'off'],
);
