import type { DiscoveryClient } from '../etcd/client.ts';
import { detailOf, reasonOf } from './errors.ts';

/** Reserved for a path of the service, so no cluster ever has this token. */
const NO_TOKEN = 'health';

/** The store's revision, told by its refusal of a token that cannot be. Rejects when the store is not well. */
export async function currentRevision(client: DiscoveryClient): Promise<bigint> {
  try {
    return (await client.getCluster({ token: NO_TOKEN })).revision;
  } catch (thrown) {
    if (reasonOf(thrown) !== 'TOKEN_NOT_FOUND') throw thrown;
    return detailOf(thrown)?.revision ?? 0n;
  }
}
