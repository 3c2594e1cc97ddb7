/** The exit codes of every command. The README's table says the same. */
export const EXIT = {
  DONE: 0,
  /** Refused, or failed, for a reason that has no code of its own. */
  FAILED: 1,
  /** The call is wrong: a flag, an argument, or a value that the service does not take. */
  WRONG: 2,
  /** Nobody answers at the service's URL, or who answers is not the service. */
  UNREACHABLE: 3,
  /** No such token or member. */
  NOT_FOUND: 4,
  /** The token has expired or was deleted. */
  ENDED: 5,
  /** `wait` has waited long enough. */
  TIMED_OUT: 6,
  /** Something is taken: the token, the member's id, name or URL, or every place in the cluster. */
  TAKEN: 7,
  /** Credentials or a secret are needed, or do not fit. */
  DENIED: 8,
} as const;

/** A failure that a command finds itself. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  /** What to do now. */
  readonly next: string | undefined;

  constructor(exitCode: number, message: string, next?: string) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}
