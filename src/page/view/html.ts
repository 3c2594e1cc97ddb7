import type { VElement, VNode } from './node.ts';

/** Elements that have neither children nor an end tag. */
const VOID = new Set(['input', 'link', 'meta', 'br']);

// Of elements that are drawn on many pages.
const standIns = new WeakMap<VElement, string>();

/** An element that stands for one with all that is in it, as HTML: it takes the place of that on as many pages as need be. */
export function asHtml(element: VElement): VElement {
  const { tag, attributes } = element;
  const standIn: VElement = { tag, attributes, children: [] };
  standIns.set(standIn, toHtml(element));
  return standIn;
}

/** An element as HTML. Every text and every attribute's value is escaped; tags and names come from our code. */
export function toHtml(element: VElement): string {
  const known = standIns.get(element);
  if (known !== undefined) return known;
  const { tag, attributes, children } = element;
  let html = `<${tag}`;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    html += value === true ? ` ${name}` : ` ${name}="${escape(String(value))}"`;
  }
  html += '>';
  if (VOID.has(tag)) return html;
  for (const child of children) html += nodeHtml(child);
  return `${html}</${tag}>`;
}

function nodeHtml(node: VNode): string {
  return typeof node === 'string' ? escape(node) : toHtml(node);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  // Nearly no text has one of them.
  if (!/[&<>"']/.test(text)) return text;
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
