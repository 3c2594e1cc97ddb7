/** When peers are looked at, and what busy is. */
export const PACING = {
  /** Between two looks at what HTTP/2 peers have sent, while the process is busy: one that fills it is cut off soon. */
  busyLook: 100,
  /** Of the time since the last such look: below it no peer takes much from others. */
  busyPercent: 50,
} as const;

/** A look rests this many times as long as it took: over very many connections it takes its time. */
const REST = 50;
/** After so many turns of the timer in which the process was not busy it stops. */
const CALM = 30;

type Pacing = { readonly [Name in keyof typeof PACING]: number };

/** Looks at short intervals while the process is busy. While it is idle not even the timer runs. */
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

  /** Somebody has come who may make it busy. */
  awaken(): void {
    this.#calm = 0;
    if (this.#timer !== undefined) return;
    this.#last = performance.eventLoopUtilization();
    this.#timer = setInterval(this.#turn, this.#limits.busyLook);
    this.#timer.unref();
  }

  /** Now and then: somebody who was here already may make it busy. */
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
