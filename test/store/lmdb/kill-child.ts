// Writes to a data directory as fast as it can until it is killed, and prints what was acknowledged.
// Arguments: the data directory and the number of the round.

import { setTimeout as sleep } from 'node:timers/promises';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { at, create, memberId, named, node, token } from '../support/commands.ts';
import { say } from '../support/say.ts';

const WORKERS = 25;
const [path = '', round = ''] = process.argv.slice(2);
const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
const discovery = new Discovery(store, DEFAULT_POLICY);

async function acknowledged(
  kind: string,
  name: string,
  member: string,
  write: Promise<{ revision: bigint }>,
): Promise<void> {
  const { revision } = await write;
  say(`${kind} ${name} ${member} ${revision}`);
}

async function work(worker: number): Promise<never> {
  for (let i = 0; ; i++) {
    // Half of the tokens are deleted, and swept while the other writes continue.
    const fleeting = i % 2 === 0;
    const name = `${fleeting ? 'f' : 'k'}-${round}-${worker}-${i}`;
    const t = token(name);
    await acknowledged('CREATED', name, '-', discovery.createToken(create(t)));
    await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        acknowledged('REGISTERED', name, `id${n}`, discovery.register(t, node(n, { whenFull: 'STANDBY' }))),
      ),
    );
    await Promise.all([
      acknowledged(
        'REPLACED',
        name,
        'id4',
        discovery.register(t, node(4, { mode: 'REPLACE', ...named('x') })),
      ),
      acknowledged('DEREGISTERED', name, 'id5', discovery.deregister(t, memberId('id5'), undefined)),
    ]);
    if (fleeting) await acknowledged('TOKEN_DELETED', name, '-', discovery.deleteToken(t));
  }
}

async function sweep(): Promise<never> {
  for (;;) {
    await store.sweep(at(Date.now() - 5), 50);
    await sleep(1);
  }
}

await Promise.all([sweep(), ...Array.from({ length: WORKERS }, (_, worker) => work(worker))]);
