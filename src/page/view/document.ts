import { toHtml } from './html.ts';
import { h, type VElement } from './node.ts';

/** AssetUrls are the built files that a page loads, as URLs relative to the page. Undefined: not built. */
export interface AssetUrls {
  readonly script?: string | undefined;
  readonly style?: string | undefined;
  readonly icon?: string | undefined;
}

export interface Document {
  readonly title: string;
  readonly assets: AssetUrls;
  /** The home page, relative to this page. */
  readonly home: string;
  readonly main: VElement;
  readonly footer: VElement;
}

/** Renders a complete page as HTML. */
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
    h('a', { class: 'skip', href: '#main' }, 'Skip to content'),
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'brand', href: home }, mark(), h('span', {}, 'etcd ', h('b', {}, 'discovery'))),
      // Filled by the script only: without it the page is not live.
      h('p', { id: 'connection', class: 'connection', role: 'status' }),
      script !== undefined && h('noscript', {}, h('span', { class: 'connection' }, 'Reload to see changes')),
    ),
    main,
    // Outside of what the script redraws, so that screen readers keep it.
    h('p', { id: 'announcer', class: 'unseen', 'aria-live': 'polite' }),
    footer,
  );
  return `<!doctype html>${toHtml(h('html', { lang: 'en' }, head, body))}`;
}

/** The service's logo: three connected nodes. */
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
