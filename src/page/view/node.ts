/** Attributes: undefined or false omits the attribute, true sets it without a value. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * VElement is an element of the page before it becomes HTML (on the server) or DOM (in the browser). Strings
 * are plain text.
 */
export interface VElement {
  readonly tag: string;
  readonly attributes: Attributes;
  readonly children: readonly VNode[];
}

export type VNode = VElement | string;
type Given = VNode | false | undefined | readonly Given[];

/** Creates an element. Adjacent texts are merged, as by an HTML parser, and empty ones are dropped. */
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
