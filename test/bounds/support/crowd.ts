import { createDiscoveryClient } from '../../../src/client/node.ts';

/** The size of the largest cluster. */
export const MEMBERS = 1000;
const AT_ONCE = 50;

/** Runs something this many times, with limited concurrency. */
export async function times(count: number, each: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await each(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Creates a token of the largest cluster and registers all its members. */
export async function makeCrowd(url: string, token: string): Promise<void> {
  const client = createDiscoveryClient(url);
  await client.createToken({ token, size: MEMBERS });
  await times(MEMBERS, (i) =>
    client.register({
      token,
      memberId: (0xabcd0000 + i * 7919).toString(16),
      name: `node-${i}.example.com`,
      peerUrls: [`https://10.1.${i >> 8}.${i & 255}:2380`],
    }),
  );
}
