import { findingFlags } from '../../etcd/start/settings.ts';
import type { Lifetimes } from '../context.ts';
import { h, type VElement, type VNode } from './node.ts';
import { spanText } from './time.ts';

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

/** Lifetimes to choose from, where the service allows them. */
const LIFETIMES: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [3600, '1 hour'],
  [86_400, '1 day'],
  [604_800, '7 days'],
  [2_592_000, '30 days'],
];

/** The value of each choice, in seconds, with its name. Empty: the service's default. */
function choices({ defaultTtl, minTtl, maxTtl }: Lifetimes): ReadonlyArray<readonly [string, string]> {
  const allowed = LIFETIMES.filter(([seconds]) => seconds * 1000 >= minTtl && seconds * 1000 <= maxTtl);
  return [
    ['', `Default (${spanText(defaultTtl)})`],
    ...allowed.map(([seconds, name]) => [String(seconds), name] as const),
  ];
}

export interface HomePage {
  readonly serviceUrl: string;
  /** Where the form goes, relative to the page. */
  readonly action: string;
  readonly lifetimes: Lifetimes;
  readonly draft: TokenDraft;
}

/** The first page: makes a token, and says what one is for. */
export function homeMain({ serviceUrl, action, lifetimes, draft }: HomePage): VElement {
  return h(
    'main',
    { id: 'main', class: 'home' },
    h(
      'section',
      { class: 'intro' },
      h('h1', {}, 'Bring the nodes of a new etcd cluster together'),
      h(
        'p',
        { class: 'lead' },
        'Make a token for a cluster of N nodes and start N nodes with it: they find each other and form the cluster. The page of the token shows which nodes have registered and how many are missing.',
      ),
    ),
    form(action, lifetimes, draft),
    ways(serviceUrl),
  );
}

function form(action: string, lifetimes: Lifetimes, draft: TokenDraft): VElement {
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
          ...choices(lifetimes).map(([value, name]) => h('option', { value, selected: value === ttl }, name)),
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
      h('p', { class: 'note' }, 'Most clusters have an odd number of nodes, such as 3 or 5.'),
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
        ['These versions take the whole URL and use HTTP.'],
        `etcd --name infra1 \\\n  --discovery ${serviceUrl}/TOKEN \\\n  ...`,
      ),
      way(
        'etcd 3.6 and 3.7',
        ['These versions take the token and the service separately and use gRPC.'],
        ['etcd --name infra1', ...findingFlags({ etcd: '3.7', serviceUrl, token: 'TOKEN' }), '...'].join(
          ' \\\n  ',
        ),
      ),
    ),
    h(
      'p',
      { class: 'note' },
      'The page of a token has the complete settings for each version, as flags, environment, YAML and more. In a terminal, ',
      h('code', {}, `curl '${serviceUrl}/new?size=3'`),
      ' also makes a token.',
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
