import { CLUSTER_LIMITS } from '../limits.ts';
import { type MemberId, type Millis, millis, type Token } from './types.ts';

/**
 * The number of remembered registrations, some 150 KB. While the clock is behind, older registrations cannot
 * be retried.
 */
const REMEMBERED = 1000;
/** The largest step of a clock that is only being kept synchronised. */
const SLACK_MS = 5000;

/**
 * RetryClock tells a retry from a node that returns later. It uses the wall clock, the only clock by which
 * registrations of other processes can be dated, unless that clock was set back: a registration of an hour
 * ago would then look recent. Until the clock has caught up, only registrations of this process that a
 * monotonic clock shows to be recent count.
 */
export class RetryClock {
  readonly #wall: () => Millis;
  readonly #steady: () => number;
  readonly #registered = new Map<string, number>();
  /** The latest time that the wall clock has shown, or should have shown. */
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

  /** Returns the time to compare with the member's registration time when it registers again. */
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
