import { h, type VElement } from './node.ts';

/** Renders a form that opens the page of a token with its secret. `action` is relative to the page. */
export function secretForm(action: string, token: string): VElement {
  return h(
    'form',
    { class: 'secret', method: 'post', action },
    h('input', { type: 'hidden', name: 'token', value: token }),
    h(
      'label',
      { class: 'field' },
      h('span', {}, 'Secret'),
      h('input', {
        name: 'secret',
        type: 'password',
        required: true,
        autocomplete: 'off',
        autocapitalize: 'none',
        spellcheck: 'false',
      }),
    ),
    h('button', { class: 'button', type: 'submit' }, 'Open with secret'),
    h('p', { class: 'note' }, 'The secret is sent in the body of the request, not in the address.'),
  );
}

/** Returns a token without its secret. */
export function bareToken(token: string): string {
  return token.replace(/:.*$/s, '');
}

export function hasSecret(token: string): boolean {
  return token.includes(':');
}
