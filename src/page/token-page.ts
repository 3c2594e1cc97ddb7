import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { type ClusterView, endedView, viewOf } from './cluster.ts';
import { OPEN } from './context.ts';
import { type PageRefusal, pageRefusalOf, rowOf } from './refusals.ts';
import { h, type VElement } from './view/node.ts';
import { refusedMain, sentence } from './view/refused.ts';
import { bareToken, secretForm } from './view/secret.ts';
import { hasEnded } from './view/standing.ts';
import { type TokenPlace, tokenMain, tokenTitle } from './view/token.ts';

/** Shown is the parts of a page that differ between tokens. */
export interface Shown {
  readonly status: number;
  readonly title: string;
  /** Draws the page, with lists of members that were drawn before, if given. */
  readonly draw: (comers?: readonly VElement[]) => { readonly main: VElement; readonly footer: VElement };
  /** The content: the same objects as long as it is unchanged. Undefined: no cluster. */
  readonly view: ClusterView | undefined;
  /** Whether the page can change. */
  readonly live: boolean;
}

/** Returns the current page of a token, for a reader without a script. Rejects with a defect. */
export async function showToken(client: DiscoveryClient, place: TokenPlace, now: number): Promise<Shown> {
  const clock = { now, timeZone: 'UTC' } as const;
  const shown = (view: ClusterView): Shown => ({
    status: statusOf(view.cluster),
    title: tokenTitle(view.cluster),
    draw: (comers) => ({
      main: tokenMain({ ...place, view, clock, ...(comers && { comers }) }),
      footer: footer(place),
    }),
    view,
    live: !hasEnded(view.cluster),
  });
  try {
    return shown(viewOf(await client.listMembers({ token: place.token })));
  } catch (thrown) {
    const refusal = pageRefusalOf(thrown);
    if (refusal === undefined) throw thrown;
    return refusal.cluster === undefined ? refused(refusal, place) : shown(endedView(refusal.cluster));
  }
}

/** The status tells programs that request a page that the cluster can no longer be joined. */
function statusOf(cluster: Cluster): number {
  return hasEnded(cluster) ? 410 : 200;
}

const OPENED_BY_SECRET: readonly ErrorReason[] = [ErrorReason.UNAUTHENTICATED, ErrorReason.FORBIDDEN];

function refused({ reason, text }: PageRefusal, { token, root }: TokenPlace): Shown {
  const { status, title, lead = sentence(text), advice } = rowOf(reason);
  const form = OPENED_BY_SECRET.includes(reason)
    ? secretForm(`${root}${OPEN.slice(1)}`, bareToken(token))
    : undefined;
  const main = refusedMain({ title, lead, advice, again: status >= 500, root, form });
  return { status, title, draw: () => ({ main, footer: h('footer') }), view: undefined, live: false };
}

/** The footer of a cluster's page. */
function footer({ serviceUrl, token }: TokenPlace): VElement {
  return h(
    'footer',
    {},
    h('p', {}, 'Programs get JSON from the same URL: ', h('code', {}, `curl ${serviceUrl}/${token}`)),
  );
}
