/** A flag that takes a value. */
export interface Flag<T> {
  /** Without its dashes. */
  readonly flag: string;
  readonly short?: string;
  /** An older name, which still works. Completion does not offer it. */
  readonly old?: { readonly flag: string; readonly short: string };
  /** Stands for the value in the help. FILE and DIR are completed as such. */
  readonly value: string;
  /** The words that the value is one of, if it is one of a few. Completion offers them. */
  readonly words?: readonly string[];
  /** What a value must be, to go on after "takes". */
  readonly takes: string;
  /** Returns undefined to reject the text. */
  readonly parse: (text: string) => T | undefined;
  /** As it would be written. */
  readonly default?: string;
  /** The environment variable that sets the value when no flag does. */
  readonly env?: string;
  readonly required?: true;
  /** Whether it may be given several times. */
  readonly many?: true;
  readonly help: string;
}

/** A flag that is given or not. */
export interface Switch extends Pick<Flag<unknown>, 'flag' | 'short' | 'help'> {
  readonly old?: never;
  readonly value?: never;
  readonly words?: never;
}

export type AnyFlag = Flag<unknown> | Switch;
