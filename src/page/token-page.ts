import type { DiscoveryClient } from '../client/discovery-client.ts';
import { endedView, type View, viewOf } from './cluster.ts';
import { type PageRefusal, pageRefusalOf, rowOf } from './refusals.ts';
import { h, type VElement } from './view/node.ts';
import { refusedMain, sentence } from './view/refused.ts';
import { tokenMain, tokenTitle } from './view/token.ts';

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
export async function showToken(
  client: DiscoveryClient,
  token: string,
  serviceUrl: string,
  now: number,
): Promise<Shown> {
  const clock = { now, timeZone: 'UTC' } as const;
  const shown = (view: View, status: number): Shown => ({
    status,
    title: tokenTitle(view.cluster),
    draw: (comers) => ({
      main: tokenMain({ view, token, serviceUrl, clock, ...(comers && { comers }) }),
      footer: footer(serviceUrl, token),
    }),
    view,
    live: status === 200,
  });
  try {
    return shown(viewOf(await client.listMembers({ token, refuseExpired: true })), 200);
  } catch (thrown) {
    const refusal = pageRefusalOf(thrown);
    if (refusal === undefined) throw thrown;
    const { status } = rowOf(refusal.reason);
    return refusal.cluster === undefined ? refused(refusal) : shown(endedView(refusal.cluster), status);
  }
}

function refused({ reason, text }: PageRefusal): Shown {
  const { status, title, lead = sentence(text), advice } = rowOf(reason);
  const again = status >= 500 ? { href: '', text: 'Load again' } : { href: './', text: 'Make a new token' };
  const main = refusedMain(title, lead, advice, again);
  return { status, title, draw: () => ({ main, footer: h('footer') }), view: undefined, live: false };
}

/** Below the page of a cluster. */
function footer(serviceUrl: string, token: string): VElement {
  return h(
    'footer',
    {},
    h('p', {}, 'A token is a secret: whoever has this address can see the cluster and join it.'),
    h('p', {}, 'For programs: ', h('code', {}, `curl ${serviceUrl}/${token}`)),
  );
}
