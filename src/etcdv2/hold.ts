import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../etcd/client.ts';
import type { Deadlines } from './deadlines.ts';
import { v2ReasonOf } from './refusal.ts';
import type { Response } from './responder.ts';

/** How long a wait pauses when the service has no store, in ms. */
const AWAY_MS = 1000;

/** Keeps a client waiting until the service knows the state of the token, and then makes it ask again. */
export async function hold(
  client: DiscoveryClient,
  token: string,
  response: Response,
  polls: Deadlines,
): Promise<void> {
  const abort = new AbortController();
  const end = (): void => abort.abort('the wait is over');
  response.on('close', end);
  const poll = polls.add(end);
  let isAway = true;
  while (isAway && !abort.signal.aborted) {
    await sleep(AWAY_MS, undefined, { signal: abort.signal }).catch(() => undefined);
    // A watch, because a service that is stopping still answers reads.
    const messages = client.watchMembers({ token }, { signal: abort.signal });
    isAway = await messages[Symbol.asyncIterator]()
      .next()
      .then(
        () => false,
        (thrown: unknown) => v2ReasonOf(thrown) === ErrorReason.STORE_UNAVAILABLE,
      );
  }
  end();
  polls.remove(poll);
  response.end();
}
