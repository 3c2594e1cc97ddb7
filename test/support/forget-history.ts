import type { Discovery } from '../../src/discovery/discovery.ts';
import { revision } from '../../src/discovery/types.ts';
import { compacted } from '../../src/store/refusals.ts';

/** Drops a token's changes up to a revision, as an earlier version of the service could have done. */
export function forgetHistory(discovery: Discovery, token: string, upTo: bigint): void {
  const watch = discovery.watch.bind(discovery);
  const compactRevision = revision(upTo);
  discovery.watch = async function* (on, after, signal, caller) {
    if (on === token && after !== undefined && after < compactRevision) {
      throw compacted(after, { revision: compactRevision, compactRevision });
    }
    yield* watch(on, after, signal, caller);
  };
}
