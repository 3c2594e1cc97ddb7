import { h, type VElement } from './node.ts';

/** A page that says no: what was wrong, and what to do. */
export function refusedMain(
  title: string,
  lead: string,
  advice: string,
  link: { href: string; text: string },
): VElement {
  return h(
    'main',
    { id: 'main', class: 'refused' },
    h('h1', {}, title),
    h('p', { class: 'lead' }, lead),
    h('p', {}, advice),
    h('p', {}, h('a', { class: 'button', href: link.href }, link.text)),
  );
}

/** The service's words, which begin small, as a sentence. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
