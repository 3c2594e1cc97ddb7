import type { VElement, VNode } from './node.ts';

/** Elements that have neither children nor an end tag. */
const VOID = new Set(['input', 'link', 'meta', 'br']);

// Placeholders of elements that are drawn on many pages.
const standIns = new WeakMap<VElement, string>();

/**
 * Returns a placeholder for an element and its children rendered as HTML, which can be used on any number of
 * pages.
 */
export function asHtml(element: VElement): VElement {
  const { tag, attributes } = element;
  const standIn: VElement = { tag, attributes, children: [] };
  standIns.set(standIn, toHtml(element));
  return standIn;
}

/**
 * Renders an element as HTML. All texts and attribute values are escaped; tags and attribute names come from
 * our code.
 */
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
  // Few texts contain one of them.
  if (!/[&<>"']/.test(text)) return text;
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
