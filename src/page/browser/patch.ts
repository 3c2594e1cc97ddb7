import type { VElement } from '../view/node.ts';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Updates an element to match the wanted one and changes only what differs, so that focus, typed text,
 * selections and scroll positions are kept. Attributes that are not mentioned are left unchanged.
 */
export function patch(element: Element, wanted: VElement): void {
  for (const [name, value] of Object.entries(wanted.attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else {
      const text = value === true ? '' : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
  // Keeps a button's temporary label.
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

/** Replaces an existing node, or appends one at the end. */
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
