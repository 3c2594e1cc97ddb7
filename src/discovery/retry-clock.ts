import { CLUSTER_LIMITS } from '../limits.ts';
import { type MemberId, type Millis, millis, type Token } from './types.ts';

/** Registrations that are remembered, in some 150 KB: with a clock that was put back, those before them are no retries. */
const REMEMBERED = 1000;
/** By which a clock is set while it is kept in time. */
const SLACK_MS = 5000;

/**
 * The time by which a retry is told from a node that comes again. It is the wall clock's, as registrations of other
 * processes are known by that alone, unless that was put back: what was registered an hour ago would look as if it had
 * been now. Until it has caught up only what this process has just registered, by a clock that nobody sets, is recent.
 */
export class RetryClock {
  readonly #wall: () => Millis;
  readonly #steady: () => number;
  readonly #registered = new Map<string, number>();
  /** The latest that the wall clock has shown, or would have. */
  #latest: number;
  #latestAt: number;

  constructor(wall: () => Millis, steady: () => number) {
    this.#wall = wall;
    this.#steady = steady;
    this.#latest = wall();
    this.#latestAt = steady();
  }

  registered(token: Token, id: MemberId): void {
    const now = this.#steady();
    for (const [key, at] of this.#registered) {
      if (now - at <= CLUSTER_LIMITS.retryWindow && this.#registered.size < REMEMBERED) break;
      this.#registered.delete(key);
    }
    this.#registered.set(keyOf(token, id), now);
  }

  /** The time at which a member asks to be registered, for how long ago it was registered. */
  timeFor(token: Token, id: MemberId): Millis {
    const steady = this.#steady();
    const wall = this.#wall();
    const expected = this.#latest + steady - this.#latestAt;
    this.#latest = Math.max(wall, expected);
    this.#latestAt = steady;
    if (wall >= expected - SLACK_MS) return wall;
    const at = this.#registered.get(keyOf(token, id));
    const isRecent = at !== undefined && steady - at <= CLUSTER_LIMITS.retryWindow;
    return isRecent ? wall : millis(Math.floor(expected));
  }
}

function keyOf(token: Token, id: MemberId): string {
  return `${token}/${id}`;
}
