import type { VElement } from '../view/node.ts';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes a part of the document what the page wants it to be, and touches only what differs: what the reader
 * has focused, typed, selected or scrolled stays. Attributes that are not mentioned are left alone.
 */
export function patch(element: Element, wanted: VElement): void {
  for (const [name, value] of Object.entries(wanted.attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else {
      const text = value === true ? '' : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
  // What a button says for a while of its own is not drawn over.
  if (element.hasAttribute('data-said')) return;
  let at = element.firstChild;
  for (const child of wanted.children) {
    if (typeof child === 'string') {
      if (at instanceof Text) {
        if (at.data !== child) at.data = child;
      } else at = put(element, at, document.createTextNode(child));
    } else if (
      at instanceof Element &&
      at.localName === child.tag &&
      at.id === (child.attributes['id'] ?? '')
    ) {
      patch(at, child);
    } else {
      at = put(element, at, createElement(child, element.namespaceURI));
    }
    at = at?.nextSibling ?? null;
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** Puts a node where another one is, or at the end. */
function put(parent: Element, at: ChildNode | null, node: ChildNode): ChildNode {
  if (at === null) parent.append(node);
  else at.replaceWith(node);
  return node;
}

function createElement(wanted: VElement, inherited: string | null): Element {
  const namespace = wanted.tag === 'svg' ? SVG : inherited;
  const element = document.createElementNS(namespace, wanted.tag);
  patch(element, wanted);
  return element;
}
