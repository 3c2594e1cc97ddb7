/** EXIT holds the exit codes of all commands. They are documented for users in a table. */
export const EXIT = {
  DONE: 0,
  /** Rejected or failed for a reason without a code of its own. */
  FAILED: 1,
  /** Usage error: unknown flag, bad argument, or a value the service rejects. */
  WRONG: 2,
  /** The server at the URL is unreachable or is not the service. */
  UNREACHABLE: 3,
  /** Unknown token or member. */
  NOT_FOUND: 4,
  /** The token has expired or was deleted. */
  ENDED: 5,
  /** `wait` timed out. */
  TIMED_OUT: 6,
  /** Already taken: the token, the member's ID, name or URL, or every place in the cluster. */
  TAKEN: 7,
  /** Missing or invalid credentials or secret. */
  DENIED: 8,
} as const;

/** Failure is a failure that a command itself detects. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  /** What to do. */
  readonly next: string | undefined;

  constructor(exitCode: number, message: string, next?: string) {
    super(message);
    this.exitCode = exitCode;
    this.next = next;
  }
}
