import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../client/discovery-client.ts';
import { endedView, type View, viewOf } from './cluster.ts';
import { OPEN } from './context.ts';
import { type PageRefusal, pageRefusalOf, rowOf } from './refusals.ts';
import { h, type VElement } from './view/node.ts';
import { refusedMain, sentence } from './view/refused.ts';
import { bareToken, secretForm } from './view/secret.ts';
import { hasEnded } from './view/standing.ts';
import { type TokenPlace, tokenMain, tokenTitle } from './view/token.ts';

/** The parts of a page that differ from token to token. */
export interface Shown {
  readonly status: number;
  readonly title: string;
  /** Draws it, with those who have come where they were drawn before. */
  readonly draw: (comers?: readonly VElement[]) => { readonly main: VElement; readonly footer: VElement };
  /** What is drawn: the same objects as long as it is as it was. Undefined: no cluster. */
  readonly view: View | undefined;
  /** Whether there is anything to follow. */
  readonly live: boolean;
}

/** The page of a token as it is now, for a reader without a script. Rejects with a defect. */
export async function showToken(client: DiscoveryClient, place: TokenPlace, now: number): Promise<Shown> {
  const clock = { now, timeZone: 'UTC' } as const;
  const shown = (view: View): Shown => ({
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

/** Programs that ask for a page see by its status that nobody can join any more. */
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

/** Below the page of a cluster. */
function footer({ serviceUrl, token }: TokenPlace): VElement {
  return h(
    'footer',
    {},
    h('p', {}, 'Programs get JSON from the same URL: ', h('code', {}, `curl ${serviceUrl}/${token}`)),
  );
}
