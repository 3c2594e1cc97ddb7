import { timestampMs } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { type MemberEvent, MemberEventType } from '../../../gen/discovery/v1/cluster_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { refusalOf } from '../../client/refusal.ts';
import { type WatchConnection, watchCluster } from '../../client/watch.ts';
import { endedView, isEnded, type View, viewOf } from '../cluster.ts';
import { FIRST_CHOICE } from '../view/start.ts';
import { relativeText } from '../view/time.ts';
import { tokenMain, tokenTitle } from '../view/token.ts';
import { Announcer } from './announce.ts';
import { readChoice } from './chooser.ts';
import { copyButtons } from './copy.ts';
import { patch } from './patch.ts';

/** How often relative times are brought up to date. */
const TICK_MS = 1000;

const main = document.querySelector('main.token');
if (main instanceof HTMLElement) follow(main);

/** Keeps the page of a token as the cluster is, over one stream. */
function follow(main: HTMLElement): void {
  const token = location.pathname.split('/').at(-1) ?? '';
  const serviceUrl = main.dataset['serviceUrl'] ?? location.origin;
  // The reader's clock may be wrong; what counts is the service's.
  const skew = Date.now() - Number(main.dataset['now'] ?? Date.now());
  const announcer = new Announcer(document.getElementById('announcer'));
  const client = createClient(
    DiscoveryService,
    createConnectTransport({ baseUrl: new URL('.', location.href).href.replace(/\/$/, '') }),
  );
  let view: View | undefined;
  let drawn = false;
  let frame = 0;
  let times = '';

  const draw = (): void => {
    frame = 0;
    if (view === undefined) return;
    const choice = drawn ? readChoice(main) : FIRST_CHOICE;
    drawn = true;
    patch(main, tokenMain({ view, token, serviceUrl, choice, clock: { now: Date.now() - skew } }));
    document.title = tokenTitle(view.cluster);
  };
  // A burst of changes is drawn once. A tab in the background has no frames, and its title is looked at.
  const redraw = (): void => {
    if (frame === 0) frame = document.hidden ? setTimeout(draw, TICK_MS) : requestAnimationFrame(draw);
  };
  const tick = (): void => {
    const now = timesText(view, Date.now() - skew);
    if (now !== times) redraw();
    times = now;
  };
  const show = (next: View): void => {
    view = next;
    redraw();
  };

  copyButtons(main, announcer.say);
  main.addEventListener('input', redraw);
  main.addEventListener('submit', (event) => event.preventDefault());
  setInterval(tick, TICK_MS);

  const onConnection = ({ type }: WatchConnection): void => {
    connection(type === 'connected' ? 'Live' : 'Reconnecting');
  };
  const run = async (): Promise<void> => {
    try {
      for await (const step of watchCluster(client, token, { onConnection })) {
        const next = viewOf(step.list);
        // A deletion takes the members with it; who they were is still worth seeing.
        show(isEnded(next.cluster) ? endedView(next.cluster, view) : next);
        if (step.type === 'event') announcer.change(changeText(step.event), next.cluster);
      }
      connection('');
    } catch (thrown) {
      const cluster = refusalOf(thrown)?.cluster;
      connection(cluster === undefined ? 'Not live: load the page again' : '');
      if (cluster === undefined) return;
      show(endedView(cluster, view));
      announcer.say(`${tokenTitle(cluster)}.`);
    }
  };
  void run();
}

/** The relative times that the page shows: until they change there is nothing to draw. */
function timesText(view: View | undefined, now: number): string {
  const { createTime, expireTime, deleteTime } = view?.cluster ?? {};
  const times = [createTime, expireTime, deleteTime].filter((time) => time !== undefined);
  return times.map((time) => relativeText(timestampMs(time), now)).join();
}

function connection(text: string): void {
  const element = document.getElementById('connection');
  if (element === null || element.textContent === text) return;
  element.textContent = text;
  element.className = `connection ${text.split(':', 1)[0]?.toLowerCase().replace(' ', '-') ?? ''}`;
}

function changeText({ type, member }: MemberEvent): string {
  const name = member?.name ?? 'A node';
  switch (type) {
    case MemberEventType.REGISTERED:
      return `${name} registered.`;
    case MemberEventType.REPLACED:
      return `${name} changed.`;
    case MemberEventType.DEREGISTERED:
      return `${name} deregistered.`;
    case MemberEventType.TOKEN_DELETED:
      return 'The token was deleted.';
    default:
      return 'Something changed.';
  }
}
