import type { DiscoveryClient } from '../../src/client/node.ts';
import { reasonOf } from '../../src/client/refusal.ts';

// What the tests of clocks ask of a service.

/** Registers one of several members of the token `t`. */
export function register(client: DiscoveryClient, i: number): Promise<{ readonly revision: bigint }> {
  const member = { token: 't', memberId: `${i}`, name: `n${i}`, peerUrls: [`http://10.0.0.${i}:2380`] };
  return client.register(member);
}

/** Why a call was refused. Undefined when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (thrown: unknown) => reasonOf(thrown),
  );
}
