// An attacking process: it receives orders over IPC and answers each with its result. It runs at the lowest priority:
// the tests measure how the service treats its other clients, not the scheduler.

import { setPriority } from 'node:os';
import { openConnections } from './attack-connections.ts';
import { sendFloods } from './attack-frames.ts';
import { sendGarbage } from './attack-garbage.ts';
import { readRepeatedly } from './attack-reads.ts';
import { runSlowClients } from './attack-slow.ts';
import { formClusters } from './load.ts';

const ATTACKS = {
  frames: sendFloods,
  connections: openConnections,
  garbage: sendGarbage,
  slow: runSlowClients,
  read: readRepeatedly,
  load: formClusters,
};

export type Attacks = typeof ATTACKS;
export type Kind = keyof Attacks;
export interface Order<K extends Kind = Kind> {
  readonly kind: K;
  readonly order: Parameters<Attacks[K]>[0];
}

process.on('message', ({ kind, order }: Order) => {
  if (kind !== 'load') yieldToOthers();
  const attack = ATTACKS[kind] as (order: unknown) => Promise<unknown>;
  attack(order).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.stack }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

function yieldToOthers(): void {
  try {
    setPriority(19);
  } catch {
    // Not every system permits this; the attack is then harder.
  }
}
