import { h, type VElement } from './node.ts';

/** Refused is an error page: what was wrong, and what to do. */
export interface Refused {
  readonly title: string;
  readonly lead: string;
  readonly advice: string;
  /** Whether reloading the page can help. */
  readonly again: boolean;
  /** The service's root, relative to the page. */
  readonly root: string;
  /** A form for what the reader can provide to get access. */
  readonly form?: VElement | undefined;
}

export function refusedMain({ title, lead, advice, again, root, form }: Refused): VElement {
  const isMain = !again && form === undefined;
  const home = h('a', isMain ? { class: 'button', href: root } : { href: root }, 'Go to the home page');
  return h(
    'main',
    { id: 'main', class: 'refused' },
    h('h1', {}, title),
    h('p', { class: 'lead' }, lead),
    h('p', {}, advice),
    form,
    h('p', { class: 'act' }, again && h('a', { class: 'button', href: '' }, 'Reload'), home),
  );
}

/** Makes a sentence of the service's message, which starts in lower case. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
