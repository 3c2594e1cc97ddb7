/** Flag is a flag that takes a value. */
export interface Flag<T> {
  /** The name without dashes. */
  readonly flag: string;
  readonly short?: string;
  /** An older name that still works. Completion does not offer it. */
  readonly old?: { readonly flag: string; readonly short: string };
  /** The placeholder for the value in the help. FILE and DIR are completed as paths. */
  readonly value: string;
  /** The accepted words, if there are only a few. Completion offers them. */
  readonly words?: readonly string[];
  /** The accepted values, phrased to follow "takes". */
  readonly takes: string;
  /** Returns undefined to reject the text. */
  readonly parse: (text: string) => T | undefined;
  /** The default as it would be written. */
  readonly default?: string;
  /** The environment variable that sets the value if no flag does. */
  readonly env?: string;
  readonly required?: true;
  /** Whether the flag may be repeated. */
  readonly many?: true;
  readonly help: string;
}

/** Switch is a flag without a value. */
export interface Switch extends Pick<Flag<unknown>, 'flag' | 'short' | 'help'> {
  readonly old?: never;
  readonly value?: never;
  readonly words?: never;
}

export type AnyFlag = Flag<unknown> | Switch;
