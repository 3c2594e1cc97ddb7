import type { DiscoveryClient } from '../../src/client/node.ts';
import { reasonOf } from '../../src/client/refusal.ts';

// Calls that the tests of clocks make to a service.

/** Registers one of several members of the token `t`. */
export function register(client: DiscoveryClient, i: number): Promise<{ readonly revision: bigint }> {
  const member = { token: 't', memberId: `${i}`, name: `n${i}`, peerUrls: [`http://10.0.0.${i}:2380`] };
  return client.register(member);
}

/** Returns the reason of a rejected call, or undefined if it succeeded. */
export async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (thrown: unknown) => reasonOf(thrown),
  );
}
