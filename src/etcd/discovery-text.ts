import { hash } from 'node:crypto';

// etcd derives a node's member ID from its peer URLs and the exact text of its --discovery or
// --discovery-token (etcd: server/etcdserver/api/membership, computeMemberID), and each node computes the IDs
// of all others from its own text. Nodes with different texts therefore never form one cluster, and the ID
// proves which text was used.

/** An ID of etcd: a 64-bit hash in hexadecimal without leading zeros, of which there are rarely many. */
const OF_ETCD = /^[1-9a-f][0-9a-f]{9,15}$/;

/** Longer texts are not tried. */
const LONGEST = 1000;

/** Slashes before and after the text that get lost on the way, the most common ones first. */
const LOST = [
  ['', ''],
  ['', '/'],
  ['/', ''],
  ['', '//'],
  ['/', '/'],
] as const;

/**
 * Returns the candidate text that a node's ID was derived from, safe to show. Undefined if no candidate
 * matches. `peerUrls` are as the node wrote them.
 */
export function textOfId(
  id: string,
  peerUrls: readonly string[],
  candidates: Iterable<string>,
): string | undefined {
  if (!OF_ETCD.test(id)) return undefined;
  const wanted = id.padStart(16, '0');
  const urls = peerUrls.toSorted().join('');
  for (const candidate of candidates) {
    if (candidate.length > LONGEST) continue;
    if (hash('sha1', `${urls}${candidate}`).startsWith(wanted)) return withoutSecret(candidate);
  }
  return undefined;
}

/** Yields the possible values of `--discovery` of a node that requested `path` from one of these origins. */
export function* discoveryUrls(origins: Iterable<string>, path: string): Iterable<string> {
  for (const [before, after] of LOST) {
    for (const origin of origins) yield `${origin}${before}${path}${after}`;
  }
}

/** Yields the possible values of `--discovery-token` of a node whose keys are under `token`. */
export function* discoveryTokens(token: string): Iterable<string> {
  // The double slash of a URL gets lost on the way.
  const text = token.replace(/^(https?):\/(?!\/)/, '$1://');
  for (const [before, after] of LOST) yield `${before}${text}${after}`;
}

/**
 * Replaces the secret of `TOKEN:SECRET` with a few digits of its hash, so that texts with different secrets
 * stay different.
 */
function withoutSecret(text: string): string {
  return text.replace(
    /([^:/]):([A-Za-z0-9_-]{16,})(\/*)$/,
    (_all, before: string, secret: string, end: string) =>
      `${before}:(secret ${hash('sha256', secret).slice(0, 6)})${end}`,
  );
}
