import { findingFlags } from '../../etcd/start/settings.ts';
import type { Lifetimes } from '../context.ts';
import { h, type VElement, type VNode } from './node.ts';
import { spanText } from './time.ts';

/** TokenDraft is the contents of the form as text, and its error. */
export interface TokenDraft {
  readonly size: string;
  readonly ttl: string;
  readonly description: string;
  /** The service's message. */
  readonly problem?: string;
  /** The field with the error. */
  readonly field?: 'size' | 'ttl' | 'description';
}

export const EMPTY_DRAFT: TokenDraft = { size: '3', ttl: '', description: '' };

/** The lifetimes offered, if the service allows them. */
const LIFETIMES: ReadonlyArray<readonly [seconds: number, name: string]> = [
  [3600, '1 hour'],
  [86_400, '1 day'],
  [604_800, '7 days'],
  [2_592_000, '30 days'],
];

/** Returns the value of each choice in seconds, with its name. Empty: the service's default. */
function choices({ defaultTtl, minTtl, maxTtl }: Lifetimes): ReadonlyArray<readonly [string, string]> {
  const allowed = LIFETIMES.filter(([seconds]) => seconds * 1000 >= minTtl && seconds * 1000 <= maxTtl);
  return [
    ['', `Default (${spanText(defaultTtl)})`],
    ...allowed.map(([seconds, name]) => [String(seconds), name] as const),
  ];
}

export interface HomePage {
  readonly serviceUrl: string;
  /** The target of the form, relative to the page. */
  readonly action: string;
  readonly lifetimes: Lifetimes;
  readonly draft: TokenDraft;
}

/** Renders the home page, which creates a token and explains what it is for. */
export function homeMain({ serviceUrl, action, lifetimes, draft }: HomePage): VElement {
  return h(
    'main',
    { id: 'main', class: 'home' },
    h(
      'section',
      { class: 'intro' },
      h('h1', {}, 'Bootstrap a new etcd cluster'),
      h(
        'p',
        { class: 'lead' },
        'Create a token for a cluster of N nodes and start N nodes with it: they find each other and form the cluster. The page of the token shows which nodes have registered and how many are missing.',
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
    h('h2', { id: 'make-title' }, 'Create a token'),
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
      h('button', { class: 'button', type: 'submit' }, 'Create token'),
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
        ['These versions use HTTP and take the full URL.'],
        `etcd --name infra1 \\\n  --discovery ${serviceUrl}/TOKEN \\\n  ...`,
      ),
      way(
        'etcd 3.6 and 3.7',
        ['These versions use gRPC and take the token and the endpoint separately.'],
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
      ' also creates a token.',
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
