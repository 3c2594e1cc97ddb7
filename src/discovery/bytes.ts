import { CLUSTER_LIMITS } from '../limits.ts';
import { DiscoveryError } from './errors.ts';
import type { Cluster, ClusterSize, Registration, Revision } from './types.ts';

// How large things are, in bytes: what every store and dialect writes of them at least. Each adds something of its own to
// every member and change.

/** What an event has beside its members: times, revisions and counts. */
const EVENT_BASE = 100;

/**
 * What a member takes of every list that it is in: its texts, and once more its name and URL as `--initial-cluster`
 * has them.
 */
export function memberBytes({ id, name, peerUrls, discoveryText }: Registration): number {
  let bytes = textBytes(id) + textBytes(discoveryText ?? '') + textBytes(name) * (1 + peerUrls.length);
  for (const url of peerUrls) bytes += 2 * textBytes(url);
  return bytes;
}

/** In UTF-8, and escaped where the page has to. */
function textBytes(text: string): number {
  return Buffer.byteLength(text) + 5 * (text.match(/["&'<>\\]/g)?.length ?? 0);
}

/** What a change takes of the history of its token that tells of these. */
export function changeBytes(about: readonly Registration[]): number {
  let bytes = EVENT_BASE;
  for (const each of about) bytes += memberBytes(each);
  return bytes;
}

/** Whom an event tells of. */
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

/** What a token has beside its changes. */
export const TOKEN_BASE = 512;

/** About what a token takes of a store. */
export function tokenBytes(cluster: Cluster): number {
  return TOKEN_BASE + cluster.changeBytes;
}

/**
 * What one member of a cluster may take: the same share for each place, so that no member can leave too little for
 * those that follow.
 */
export function placeBytes(size: ClusterSize): number {
  return Math.floor(Math.max(CLUSTER_LIMITS.membersBytes / size, CLUSTER_LIMITS.leastMemberBytes));
}

/** What is kept of a token's history for each place that is free. */
export function registrationBytes(size: ClusterSize): number {
  return EVENT_BASE + placeBytes(size);
}

/** Refuses a member that is larger than its place. */
export function checkMemberBytes({ size }: Cluster, wanted: Registration): void {
  const [bytes, most] = [memberBytes(wanted), placeBytes(size)];
  if (bytes <= most) return;
  throw new DiscoveryError(
    'INVALID_ARGUMENT',
    `the member takes ${bytes} bytes of the lists that it is in, and each of ${size} may take ${most}, its id, its name and discovery text, and each peer URL with the name once more; give it fewer or shorter peer URLs`,
    { field: 'peer_urls' },
  );
}

/** The first of the events that one reader holds at a time; one, however large it is. */
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

/** The same of those after a revision. */
export function eventsAfter<E extends Told & { readonly revision: Revision }>(
  events: readonly E[],
  after: Revision,
  limit: number,
): readonly E[] {
  const from = events.findIndex((event) => event.revision > after);
  return from === -1 ? [] : firstEvents(events.slice(from), limit);
}
