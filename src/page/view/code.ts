import { h, type VElement } from './node.ts';

/** Renders a text to copy. The button requires the script and is hidden without it. */
export function codeBlock(id: string, label: string, text: string, interactive: boolean): VElement {
  return h(
    'div',
    { class: 'code' },
    // Focusable, so that it can be scrolled with the keyboard.
    h('pre', { id, tabindex: 0, role: 'region', 'aria-label': label }, text),
    h(
      'button',
      { type: 'button', class: 'copy', 'data-copy': id, 'aria-label': `Copy ${label}`, hidden: !interactive },
      'Copy',
    ),
  );
}
