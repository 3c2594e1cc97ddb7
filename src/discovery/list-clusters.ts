import { LIST_LIMITS } from '../limits.ts';
import { ownTurn } from '../own-turn.ts';
import { tokenBytes } from './bytes.ts';
import { type State, stateOf } from './cluster.ts';
import { DiscoveryError } from './errors.ts';
import { byPlace, PHASES, type Phase, type Place, placeBefore } from './newest.ts';
import type { Store } from './store.ts';
import type { Cluster, Millis, Token } from './types.ts';

/** Clusters read at once: 20 MB for the largest. */
const READ_TOGETHER = 10;

export interface ListQuery {
  readonly states: ReadonlySet<State>;
  /** List only clusters created at this time or earlier. */
  readonly madeBy?: Millis;
  /** List only clusters after this place. */
  readonly after?: Place;
  readonly limit: number;
}

export interface ListPage {
  readonly clusters: readonly Cluster[];
  /** The place after which the next page starts. Undefined on the last page. */
  readonly next: Place | undefined;
  /** The number of examined clusters, and their bytes as counted by `tokenBytes`. */
  readonly looked: number;
  readonly bytes: number;
}

/** The phases in which clusters of a state can be found. */
const PHASES_OF = {
  ASSEMBLING: ['FORMING'],
  COMPLETE: ['COMPLETE'],
  EXPIRED: ['FORMING', 'COMPLETE'],
  DELETED: ['DELETED'],
} as const satisfies Record<State, readonly Phase[]>;

/**
 * Returns a page of the clusters in some states, newest first. The number of examined clusters is bounded, so
 * a page may hold fewer clusters than requested.
 */
export async function listClusters(
  store: Pick<Store, 'newest' | 'read'>,
  query: ListQuery,
  now: Millis,
): Promise<ListPage> {
  const { places, isWhole } = await placesOf(store, query);
  const clusters: Cluster[] = [];
  let looked = 0;
  let bytes = 0;
  while (looked < places.length) {
    if (looked > 0) await ownTurn();
    const together = places.slice(looked, looked + Math.min(READ_TOGETHER, query.limit - clusters.length));
    const views = await Promise.all(together.map(({ token }) => readWhole(store, token)));
    for (const [i, cluster] of views.entries()) {
      // The cluster may have been forgotten in the meantime and created again.
      if (cluster === undefined || cluster.createTime !== together[i]?.createTime) continue;
      bytes += tokenBytes(cluster);
      if (query.states.has(stateOf(cluster, now))) clusters.push(cluster);
    }
    looked += together.length;
    if (clusters.length >= query.limit || bytes >= LIST_LIMITS.pageBytes) break;
  }
  const isEnd = isWhole && looked === places.length;
  return { clusters, next: isEnd ? undefined : places[looked - 1], looked, bytes };
}

/**
 * Returns undefined for a cluster with damaged data, so that the list still shows the others. Reads of that
 * cluster and checks of the data report the damage.
 */
async function readWhole(store: Pick<Store, 'read'>, token: Token): Promise<Cluster | undefined> {
  try {
    return (await store.read(token)).cluster;
  } catch (thrown) {
    if (thrown instanceof DiscoveryError && thrown.reason === 'INTERNAL') return undefined;
    throw thrown;
  }
}

/** Returns the first places to examine, and whether these are the last. */
async function placesOf(
  store: Pick<Store, 'newest'>,
  { states, madeBy, after }: ListQuery,
): Promise<{ places: readonly Place[]; isWhole: boolean }> {
  const wanted = new Set([...states].flatMap((state): readonly Phase[] => PHASES_OF[state]));
  const from = laterOf(after, madeBy === undefined ? undefined : placeBefore(madeBy));
  const most = LIST_LIMITS.clustersPerPage;
  const found: Place[] = [];
  let isWhole = true;
  // In the order in which clusters pass through the phases: a cluster that advances during the read is found
  // twice, and never missed.
  for (const phase of PHASES) {
    if (!wanted.has(phase)) continue;
    const part = await store.newest(phase, from, most);
    found.push(...part);
    isWhole &&= part.length < most;
  }
  found.sort(byPlace);
  const places = found.filter((place, i) => place.token !== found[i - 1]?.token);
  return { places: places.slice(0, most), isWhole: isWhole && places.length <= most };
}

function laterOf(a: Place | undefined, b: Place | undefined): Place | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return byPlace(a, b) > 0 ? a : b;
}
