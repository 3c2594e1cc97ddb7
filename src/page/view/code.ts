import { h, type VElement } from './node.ts';

/** A text to copy. The button works with the script only, so it is hidden without. */
export function codeBlock(id: string, label: string, text: string, interactive: boolean): VElement {
  return h(
    'div',
    { class: 'code' },
    // Focusable, so that the keyboard can scroll it.
    h('pre', { id, tabindex: 0, role: 'region', 'aria-label': label }, text),
    h(
      'button',
      { type: 'button', class: 'copy', 'data-copy': id, 'aria-label': `Copy ${label}`, hidden: !interactive },
      'Copy',
    ),
  );
}
