import type { VElement, VNode } from './node.ts';

/** Elements that have neither children nor an end tag. */
const VOID = new Set(['input', 'link', 'meta', 'br']);

/** An element as HTML. Every text and every attribute's value is escaped; tags and names come from our code. */
export function toHtml({ tag, attributes, children }: VElement): string {
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
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
