import { toHtml } from './html.ts';
import { h, type VElement } from './node.ts';

/** The built files that a page loads, as URLs relative to the page. Undefined: not built. */
export interface AssetUrls {
  readonly script?: string | undefined;
  readonly style?: string | undefined;
  readonly icon?: string | undefined;
}

export interface Document {
  readonly title: string;
  readonly assets: AssetUrls;
  /** Where the first page is, relative to this one. */
  readonly home: string;
  readonly main: VElement;
  readonly footer: VElement;
}

/** A whole page as HTML. */
export function documentHtml({ title, assets, home, main, footer }: Document): string {
  const { script, style, icon } = assets;
  const head = h(
    'head',
    {},
    h('meta', { charset: 'utf-8' }),
    h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    h('meta', { name: 'robots', content: 'noindex, nofollow' }),
    h('meta', { name: 'color-scheme', content: 'light dark' }),
    h('title', {}, title),
    icon !== undefined && h('link', { rel: 'icon', href: icon, type: 'image/svg+xml' }),
    style !== undefined && h('link', { rel: 'stylesheet', href: style }),
    script !== undefined && h('script', { type: 'module', src: script }),
  );
  const body = h(
    'body',
    {},
    h('a', { class: 'skip', href: '#main' }, 'Skip to the content'),
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'brand', href: home }, mark(), h('span', {}, 'etcd ', h('b', {}, 'discovery'))),
      // Filled by the script alone: without it nothing here is live.
      h('p', { id: 'connection', class: 'connection', role: 'status' }),
      script !== undefined && h('noscript', {}, h('span', { class: 'connection' }, 'Reload to see changes')),
    ),
    main,
    // Outside of what the script redraws, so that a screen reader keeps it.
    h('p', { id: 'announcer', class: 'unseen', 'aria-live': 'polite' }),
    footer,
  );
  return `<!doctype html>${toHtml(h('html', { lang: 'en' }, head, body))}`;
}

/** The mark of the service: three nodes that know each other. */
function mark(): VElement {
  const dot = (cx: number, cy: number): VElement => h('circle', { cx, cy, r: 4.2 });
  return h(
    'svg',
    { class: 'mark', viewBox: '0 0 32 32', width: 28, height: 28, 'aria-hidden': 'true' },
    h('path', { d: 'M16 7 26 24H6Z', fill: 'none' }),
    dot(16, 7),
    dot(26, 24),
    dot(6, 24),
  );
}
