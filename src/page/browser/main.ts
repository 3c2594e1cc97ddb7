import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { refusalOf } from '../../client/refusal.ts';
import { type WatchConnection, watchCluster } from '../../client/watch.ts';
import { type ClusterView, endedView, viewOf } from '../cluster.ts';
import { hasEnded } from '../view/standing.ts';
import { tokenTitle } from '../view/token.ts';
import { Announcer } from './announce.ts';
import { copyButtons } from './copy.ts';
import { Painter } from './painter.ts';
import { whileVisible } from './visible.ts';

const main = document.querySelector('main.token');
if (main instanceof HTMLElement) follow(main);

/** Keeps the page of a token up to date, over one stream. */
function follow(main: HTMLElement): void {
  const { token = '', root = './', serviceUrl } = main.dataset;
  const announcer = new Announcer(document.getElementById('announcer'));
  // Relative to the page, which may be below the path of a proxy.
  const baseUrl = new URL(root, location.href).href.replace(/\/$/, '');
  const painter = new Painter(main, {
    token,
    root,
    serviceUrl: publicUrl(serviceUrl ?? baseUrl, baseUrl),
  });
  const client = createClient(DiscoveryService, createConnectTransport({ baseUrl }));
  const onConnection = ({ type }: WatchConnection): void => {
    showConnection(type === 'connected' ? 'Live' : 'Reconnecting');
  };
  const watch = async (signal: AbortSignal): Promise<void> => {
    try {
      for await (const step of watchCluster(client, token, { onConnection, signal })) {
        const next = viewOf(step.list);
        // A deletion removes the members too; the page keeps showing who they were.
        painter.show(isGone(next) ? endedView(next.cluster, painter.view) : next);
        if (step.type === 'event') announcer.change(step.event, next.cluster);
      }
      showConnection('');
    } catch (thrown) {
      if (signal.aborted) return;
      const cluster = refusalOf(thrown)?.cluster;
      showConnection(cluster === undefined ? 'Not updating: reload the page' : '');
      if (cluster === undefined) return;
      painter.show(endedView(cluster, painter.view));
      announcer.say(`${tokenTitle(cluster)}.`);
    }
  };
  copyButtons(main, announcer.say);
  main.addEventListener('submit', (event) => {
    if (event.target instanceof Element && event.target.id === 'chooser') event.preventDefault();
  });
  whileVisible(watch, () => showConnection('Paused'));
}

/** Whether the members were deleted with the token. */
function isGone({ cluster, members }: ClusterView): boolean {
  return hasEnded(cluster) && members.length === 0;
}

/** A service behind a proxy knows its host, but not whether the proxy uses TLS or adds a path. */
function publicUrl(told: string, baseUrl: string): string {
  return new URL(told).host === location.host ? baseUrl : told;
}

function showConnection(text: string): void {
  const element = document.getElementById('connection');
  if (element === null || element.textContent === text) return;
  element.textContent = text;
  element.className = `connection ${text.split(':', 1)[0]?.toLowerCase().replace(' ', '-') ?? ''}`;
}
