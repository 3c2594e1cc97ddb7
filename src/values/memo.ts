// Values that are kept with an object for as long as it lives, like a WeakMap's, but in a private field of the
// object. WeakMaps take a third of the CPU time of reading a token that is not cached, mostly in garbage
// collections.

/** Memo keeps a value with each of its objects. A copy of an object has none. */
export interface Memo<Key extends object, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
}

export function memo<Key extends object, Value>(): Memo<Key, Value> {
  class Kept extends Itself {
    #value: Value;

    private constructor(key: object, value: Value) {
      super(key);
      this.#value = value;
    }

    static get(key: object): Value | undefined {
      return #value in key ? key.#value : undefined;
    }

    static set(key: object, value: Value): void {
      if (#value in key) key.#value = value;
      // oxlint-disable-next-line no-new -- it adds the field to the key.
      else new Kept(key, value);
    }
  }
  return Kept;
}

/** A class whose constructor returns its argument, to which the fields of a subclass are then added. */
// oxlint-disable-next-line typescript/no-extraneous-class -- only subclasses are used.
class Itself {
  constructor(key: object) {
    // biome-ignore lint/correctness/noConstructorReturn: the purpose of the class.
    return key;
  }
}
