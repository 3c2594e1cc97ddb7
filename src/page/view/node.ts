/** A value of undefined or false leaves an attribute out, true gives it without a value. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element of the page, before it is HTML (on the server) or DOM (in the browser). Texts are plain texts. */
export interface VElement {
  readonly tag: string;
  readonly attributes: Attributes;
  readonly children: readonly VNode[];
}

export type VNode = VElement | string;
type Given = VNode | false | undefined | readonly Given[];

/** Makes an element. Neighbouring texts become one, as an HTML parser has it; empty ones are left out. */
export function h(tag: string, attributes: Attributes = {}, ...given: readonly Given[]): VElement {
  const children: VNode[] = [];
  const add = (child: Given): void => {
    if (child === false || child === undefined || child === '') return;
    if (typeof child === 'object' && !('tag' in child)) {
      for (const each of child) add(each);
      return;
    }
    const last = children.at(-1);
    if (typeof child === 'string' && typeof last === 'string') children[children.length - 1] = last + child;
    else children.push(child);
  };
  add(given);
  return { tag, attributes, children };
}
