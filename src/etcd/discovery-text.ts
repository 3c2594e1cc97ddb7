import { hash } from 'node:crypto';

// etcd makes a node's member id from its peer URLs and the text of its --discovery or --discovery-token, letter for
// letter (etcd: server/etcdserver/api/membership, computeMemberID), and each node computes the ids of all others from
// its own text. So nodes that were given different texts never form one cluster, and the id proves which text it was.

/** An id of etcd: 64 bits of a hash in hexadecimal, without zeros in front, of which there are seldom many. */
const OF_ETCD = /^[1-9a-f][0-9a-f]{9,15}$/;

/** Longer texts are not looked for. */
const LONGEST = 1000;

/** Slashes before and after that are lost on the way, the usual ones first. */
const LOST = [
  ['', ''],
  ['', '/'],
  ['/', ''],
  ['', '//'],
  ['/', '/'],
] as const;

/**
 * The text that a node's id was made from, fit to be shown; undefined when it is none of the candidates.
 * `peerUrls` are as the node wrote them.
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

/** What `--discovery` may have been, where the node asked for `path` at one of these origins. */
export function* discoveryUrls(origins: Iterable<string>, path: string): Iterable<string> {
  for (const [before, after] of LOST) {
    for (const origin of origins) yield `${origin}${before}${path}${after}`;
  }
}

/** What `--discovery-token` may have been, where the node's keys are under `token`. */
export function* discoveryTokens(token: string): Iterable<string> {
  // The double slash of a URL is lost on the way.
  const text = token.replace(/^(https?):\/(?!\/)/, '$1://');
  for (const [before, after] of LOST) yield `${before}${text}${after}`;
}

/** `TOKEN:SECRET` with a few digits of the secret's hash: two texts with different secrets stay different. */
function withoutSecret(text: string): string {
  return text.replace(
    /([^:/]):([A-Za-z0-9_-]{16,})(\/*)$/,
    (_all, before: string, secret: string, end: string) =>
      `${before}:(secret ${hash('sha256', secret).slice(0, 6)})${end}`,
  );
}
