import { CLUSTER_LIMITS } from '../limits.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Registration, Revision } from './types.ts';

// Sizes in bytes: the least that every store and dialect writes. Each adds its own overhead per member and
// per change.

/** Bytes of an event without its members: times, revisions and counts. */
const EVENT_BASE = 100;

/**
 * Returns the bytes of a member in every list that contains it: its texts, plus its name and URLs once more
 * for `--initial-cluster`.
 */
export function memberBytes({ id, name, peerUrls, discoveryText }: Registration): number {
  let bytes = textBytes(id) + textBytes(discoveryText ?? '') + textBytes(name) * (1 + peerUrls.length);
  for (const url of peerUrls) bytes += 2 * textBytes(url);
  return bytes;
}

/** Counts UTF-8 bytes, including the escapes that the page needs. */
function textBytes(text: string): number {
  return Buffer.byteLength(text) + 5 * (text.match(/["&'<>\\]/g)?.length ?? 0);
}

/** Returns the bytes that a change to these members adds to the history of its token. */
export function changeBytes(about: readonly Registration[]): number {
  let bytes = EVENT_BASE;
  for (const each of about) bytes += memberBytes(each);
  return bytes;
}

/** The members that an event is about. */
interface Told {
  readonly member?: Registration;
  readonly previous?: Registration;
  readonly removed?: readonly Registration[];
}

export function eventBytes({ member, previous, removed = [] }: Told): number {
  let bytes = changeBytes(removed);
  if (member !== undefined) bytes += memberBytes(member);
  if (previous !== undefined) bytes += memberBytes(previous);
  return bytes;
}

/** Bytes of a token without its changes. */
export const TOKEN_BASE = 512;

/** Estimates the bytes that a token takes in a store. */
export function tokenBytes(cluster: Cluster): number {
  return TOKEN_BASE + cluster.changeBytes;
}

/**
 * Returns the bytes that one member of a cluster may take. Every place has the same share, so that no member
 * can leave too little for the ones after it.
 */
export function placeBytes(size: ClusterSize): number {
  return Math.floor(Math.max(CLUSTER_LIMITS.membersBytes / size, CLUSTER_LIMITS.leastMemberBytes));
}

/** Returns the bytes of a token's history that are reserved for each free place. */
export function registrationBytes(size: ClusterSize): number {
  return EVENT_BASE + placeBytes(size);
}

/** Throws if the member is larger than its place. */
export function checkMemberBytes({ size }: Cluster, wanted: Registration): void {
  const [bytes, most] = [memberBytes(wanted), placeBytes(size)];
  if (bytes <= most) return;
  throw new DiscoveryError(
    'INVALID_ARGUMENT',
    `the member has ${bytes} bytes, and the limit in a cluster of ${size} is ${most} (id, name, discovery text, and for each peer URL the name again and twice the URL); use fewer or shorter peer URLs`,
    { field: 'peer_urls' },
  );
}

/**
 * Returns the first events that fit into the bytes that one reader may hold, and at least one event however
 * large it is.
 */
export function firstEvents<Event extends Told>(events: Iterable<Event>, limit: number): Event[] {
  const first: Event[] = [];
  let bytes = 0;
  for (const event of events) {
    bytes += eventBytes(event);
    if (first.length > 0 && bytes > CLUSTER_LIMITS.eventBytesPerRead) break;
    first.push(event);
    if (first.length === limit) break;
  }
  return first;
}

/** Returns the first events after a revision, within the same bound. */
export function eventsAfter<E extends Told & { readonly revision: Revision }>(
  events: readonly E[],
  after: Revision,
  limit: number,
): readonly E[] {
  const from = events.findIndex((event) => event.revision > after);
  return from === -1 ? [] : firstEvents(events.slice(from), limit);
}
