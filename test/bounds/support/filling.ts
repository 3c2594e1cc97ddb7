import { ErrorReason } from '../../../gen/discovery/v1/error_pb.ts';
import { RegisterMode } from '../../../gen/discovery/v1/service_pb.ts';
import { createDiscoveryClient, refusalOf } from '../../../src/client/node.ts';

/** Reasons that end the filling: nothing more is stored. */
const FULL: ReadonlySet<ErrorReason> = new Set([ErrorReason.TOO_MANY_TOKENS, ErrorReason.STORE_UNAVAILABLE]);
const AT_ONCE = 16;

/** Returns the largest name and peer URLs that a small cluster accepts, unique to a number. */
export function largest(number: number) {
  const name = `${'n'.repeat(240)}${number}`;
  const peerUrls = Array.from({ length: 16 }, (_, i) => `http://${'h'.repeat(270)}${number}x${i}:2380`);
  return { name, peerUrls };
}

/**
 * Stores as much as the service accepts: tokens with the largest members, which are replaced until the token is worn
 * out. Returns the number of changes.
 */
export async function fillService(url: string): Promise<number> {
  const client = createDiscoveryClient(url);
  let changes = 0;
  const one = async (worker: number): Promise<void> => {
    for (let isFull = false; !isFull; ) {
      try {
        const { cluster } = await client.createToken({ size: 2 });
        const member = { token: cluster?.token ?? '', memberId: 'a', mode: RegisterMode.CREATE_OR_REPLACE };
        for (;;) {
          changes += 1;
          await client.register({ ...member, ...largest(worker * 1_000_000 + changes) });
        }
      } catch (thrown) {
        const reason = refusalOf(thrown)?.reason;
        if (reason === undefined) throw thrown;
        isFull = FULL.has(reason);
        if (!isFull && reason !== ErrorReason.TOKEN_WORN_OUT) throw thrown;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, worker) => one(worker)));
  return changes;
}
