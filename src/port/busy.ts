/** When HTTP/2 peers are examined, and what counts as busy. */
export const PACING = {
  /**
   * Interval in ms between two looks at what HTTP/2 peers have sent while the process is busy, so that a
   * flooding peer is disconnected soon.
   */
  busyLook: 100,
  /** Busy percentage of the time since the last look. Below it no peer takes much from the others. */
  busyPercent: 50,
} as const;

/** The pause after a look, as a multiple of its duration, which grows with the number of connections. */
const REST = 50;
/** The number of idle intervals after which the timer stops. */
const CALM = 30;

type Pacing = { readonly [Name in keyof typeof PACING]: number };

/**
 * BusyLooks calls back at short intervals while the process is busy. While it is idle, not even the timer
 * runs.
 */
export class BusyLooks {
  readonly #limits: Pacing;
  readonly #look: () => void;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.eventLoopUtilization();
  #lastSweep = this.#last;
  #calm = 0;
  #rested = 0;

  constructor(limits: Pacing, look: () => void) {
    this.#limits = limits;
    this.#look = look;
  }

  /** Starts the timer: a new peer may make the process busy. */
  awaken(): void {
    this.#calm = 0;
    if (this.#timer !== undefined) return;
    this.#last = performance.eventLoopUtilization();
    this.#timer = setInterval(this.#turn, this.#limits.busyLook);
    this.#timer.unref();
  }

  /** Called now and then, because an existing peer may make the process busy. */
  sweep(): void {
    const now = performance.eventLoopUtilization();
    if (this.#isBusy(now, this.#lastSweep)) this.awaken();
    this.#lastSweep = now;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #isBusy(now: Utilization, since: Utilization): boolean {
    return performance.eventLoopUtilization(now, since).utilization * 100 >= this.#limits.busyPercent;
  }

  readonly #turn = (): void => {
    const now = performance.eventLoopUtilization();
    const isBusy = this.#isBusy(now, this.#last);
    this.#last = now;
    this.#calm = isBusy ? 0 : this.#calm + 1;
    if (this.#calm > CALM) return this.stop();
    const begin = performance.now();
    if (!isBusy || begin < this.#rested) return;
    this.#look();
    const end = performance.now();
    this.#rested = end + (end - begin) * REST;
  };
}

type Utilization = ReturnType<typeof performance.eventLoopUtilization>;
