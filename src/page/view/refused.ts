import { h, type VElement } from './node.ts';

/** A page that says no: what was wrong, and what to do. */
export interface Refused {
  readonly title: string;
  readonly lead: string;
  readonly advice: string;
  /** Whether loading the page again can help. */
  readonly again: boolean;
  /** The service's root, relative to the page. */
  readonly root: string;
  /** What the reader can give to be let in. */
  readonly form?: VElement | undefined;
}

export function refusedMain({ title, lead, advice, again, root, form }: Refused): VElement {
  const isMain = !again && form === undefined;
  const home = h('a', isMain ? { class: 'button', href: root } : { href: root }, 'Go to the first page');
  return h(
    'main',
    { id: 'main', class: 'refused' },
    h('h1', {}, title),
    h('p', { class: 'lead' }, lead),
    h('p', {}, advice),
    form,
    h('p', { class: 'act' }, again && h('a', { class: 'button', href: '' }, 'Load again'), home),
  );
}

/** The service's words, which begin small, as a sentence. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
