// Fills a data directory through the service's own API, in one process with its store.

import { Discovery } from '../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { openLmdbStore } from '../../src/store/lmdb/store.ts';
import { memberOf } from '../load/registrations.ts';
import { FILLED_SIZE, membersOf, tokenNumber } from '../support/filled.ts';
import { answer } from '../support/ipc.ts';

export interface Fill {
  readonly path: string;
  readonly tokens: number;
}

/** Concurrent writes share flushes: the more at once, the fewer flushes. */
const AT_ONCE = 10_000;
/** The longest lifetime, because filled stores are kept. */
const TTL = { seconds: BigInt(DEFAULT_POLICY.maxTtl / 1000), nanos: 0 };

async function fill({ path, tokens }: Fill): Promise<void> {
  const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
  const client = inProcessClient(
    discoveryService(new Discovery(store, DEFAULT_POLICY), (defect) => {
      throw defect;
    }),
  );
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tokens) {
      const n = next;
      next += 1;
      const token = tokenNumber(n);
      await client.createToken({ token, size: FILLED_SIZE, ttl: TTL });
      for (let member = 0; member < membersOf(n); member += 1) {
        const { id, name, peerUrl } = memberOf(member, token);
        await client.register({ token, memberId: id, name, peerUrls: [peerUrl] });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await store.close();
}

answer({ fill });
