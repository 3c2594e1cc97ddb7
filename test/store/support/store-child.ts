// Uses a data directory. Arguments: the directory, and what to do:
//   hold          open it and stay until standard input ends
//   look          read it beside its owner, as a backup does, until standard input ends
//   leave         open it and exit
//   write COUNT   create this many tokens, one after the other, and print each result and the error of the system

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { openEnvironment } from '../../../src/store/lmdb/open.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { tablesOf } from '../../../src/store/lmdb/tables.ts';
import { create, token } from './commands.ts';
import { say } from './say.ts';

const [path = '', what = '', count = '0'] = process.argv.slice(2);

if (what === 'look') {
  const { env, meta } = tablesOf(openEnvironment(path, 'READ'));
  // Referenced until the end: garbage collection of the transaction would release its reader slot.
  const transaction = env.useReadTransaction();
  meta.get('revision', { transaction });
  say('open');
  process.stdin.resume();
  await once(process.stdin, 'end');
  transaction.done();
  process.exit();
}

try {
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  say('open');
  if (what === 'hold') {
    process.stdin.resume();
    await once(process.stdin, 'end');
    await store.close();
  }
  if (what === 'write') {
    const discovery = new Discovery(store, DEFAULT_POLICY);
    for (let i = 0; i < Number(count); i++) {
      const name = token();
      try {
        const { revision } = await discovery.createToken(create(name));
        say(`acknowledged ${name} ${revision}`);
      } catch (error) {
        say(`refused ${name} ${String(error)}`);
        const { cause } = error as Error;
        if (cause instanceof Error) say(`because ${cause.message}`);
        // As long as the store itself waits after a failure.
        await sleep(1100);
      }
    }
    await store.close();
  }
} catch (error) {
  if (!(error instanceof DiscoveryError)) throw error;
  console.error(`${error.reason}: ${error.message}`);
  process.exitCode = 1;
}
