import type { Discovery } from '../../src/discovery/discovery.ts';
import { revision } from '../../src/discovery/types.ts';
import { compacted } from '../../src/store/refusals.ts';

/** Makes a service one whose data an earlier version has dropped the changes of a token from, up to a revision. */
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
