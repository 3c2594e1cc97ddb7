import { findingFlags } from '../../etcd/start/settings.ts';
import { h, type VElement, type VNode } from './node.ts';

/** What the form had in it, as text, and what was wrong with it. */
export interface TokenDraft {
  readonly size: string;
  readonly ttl: string;
  readonly description: string;
  /** In the service's words. */
  readonly problem?: string;
  /** The field that is meant. */
  readonly field?: 'size' | 'ttl' | 'description';
}

export const EMPTY_DRAFT: TokenDraft = { size: '3', ttl: '', description: '' };

/** Lifetimes to choose from, in seconds. Empty: what the service gives when nothing is said. */
const LIFETIMES: ReadonlyArray<readonly [seconds: string, name: string]> = [
  ['', 'Default'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
];

export interface HomePage {
  readonly serviceUrl: string;
  /** Where the form goes, relative to the page. */
  readonly action: string;
  readonly draft: TokenDraft;
}

/** The first page: makes a token, and says what one is for. */
export function homeMain({ serviceUrl, action, draft }: HomePage): VElement {
  return h(
    'main',
    { id: 'main', class: 'home' },
    h(
      'section',
      { class: 'intro' },
      h('h1', {}, 'Where the nodes of a new etcd cluster find each other'),
      h(
        'p',
        { class: 'lead' },
        'Make a token for a cluster of N, start N nodes with it, and they form the cluster. Its page shows who is there and who is missing.',
      ),
    ),
    form(action, draft),
    ways(serviceUrl),
  );
}

function form(action: string, draft: TokenDraft): VElement {
  const { size, ttl, description, problem, field } = draft;
  const mark = (name: TokenDraft['field']): Record<string, string | boolean> =>
    problem !== undefined && field === name ? { 'aria-invalid': 'true', 'aria-describedby': 'problem' } : {};
  return h(
    'form',
    { class: 'card make', method: 'post', action, 'aria-labelledby': 'make-title' },
    h('h2', { id: 'make-title' }, 'Make a token'),
    problem !== undefined && h('p', { id: 'problem', class: 'problem', role: 'alert' }, problem),
    h(
      'div',
      { class: 'fields' },
      labelled(
        'Nodes',
        h('input', {
          name: 'size',
          type: 'number',
          min: 1,
          step: 1,
          required: true,
          value: size,
          inputmode: 'numeric',
          ...mark('size'),
        }),
      ),
      labelled(
        'Lifetime',
        h(
          'select',
          { name: 'ttl', ...mark('ttl') },
          ...LIFETIMES.map(([value, name]) => h('option', { value, selected: value === ttl }, name)),
        ),
      ),
      labelled(
        'Description (optional)',
        h('input', {
          name: 'description',
          type: 'text',
          maxlength: 256,
          value: description,
          placeholder: 'staging, Frankfurt',
          autocomplete: 'off',
          ...mark('description'),
        }),
        'wide',
      ),
    ),
    h(
      'div',
      { class: 'act' },
      h('button', { class: 'button', type: 'submit' }, 'Make the token'),
      h('p', { class: 'note' }, 'An odd number of nodes, 3 or 5, is what most clusters have.'),
    ),
  );
}

function labelled(label: string, input: VElement, kind = ''): VElement {
  return h('label', { class: `field ${kind}`.trim() }, h('span', {}, label), input);
}

function ways(serviceUrl: string): VElement {
  return h(
    'section',
    { 'aria-labelledby': 'ways-title' },
    h('h2', { id: 'ways-title' }, 'Two ways to use a token'),
    h(
      'div',
      { class: 'ways' },
      way(
        'etcd 3.4, 3.5 and 3.6',
        ['The whole URL, over HTTP.'],
        `etcd --name infra1 \\\n  --discovery ${serviceUrl}/TOKEN \\\n  ...`,
      ),
      way(
        'etcd 3.6 and 3.7',
        ['The token and this service, over gRPC.'],
        ['etcd --name infra1', ...findingFlags({ etcd: '3.7', serviceUrl, token: 'TOKEN' }), '...'].join(
          ' \\\n  ',
        ),
      ),
    ),
    h(
      'p',
      { class: 'note' },
      'The page of a token has the whole lines for each version, as flags, environment, YAML and more. At a terminal, ',
      h('code', {}, `curl '${serviceUrl}/new?size=3'`),
      ' makes a token too.',
    ),
  );
}

function way(title: string, text: readonly VNode[], code: string): VElement {
  return h(
    'div',
    { class: 'card' },
    h('h3', {}, title),
    h('p', { class: 'note' }, ...text),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': `Flags for ${title}` }, code),
  );
}
