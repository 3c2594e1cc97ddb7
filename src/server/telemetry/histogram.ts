/** Series accepts values. Keep it if there are many to observe. */
export interface Series {
  observe(value: number): void;
}

/** Seconds: from a read in memory to longer than clients wait. */
export const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** Seconds: a wait lasts until a person has started the other nodes. */
export const LONG_SECONDS = [0.1, 1, 5, 15, 60, 300, 900, 3600, 21_600];
/** Counts. */
export const COUNTS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/**
 * Histogram is a Prometheus histogram. Observing is an addition in an array; the package's own histogram
 * builds and looks up a string of the labels for each value.
 */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Buckets>();

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  /** Returns the series with these labels, whose values must need no escapes and be of a closed set. */
  with(labels: Readonly<Record<string, string>>): Series {
    const text = Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join(',');
    let series = this.#series.get(text);
    if (series === undefined) this.#series.set(text, (series = new Buckets(this.#bounds)));
    return series;
  }

  /** Formats the histogram in Prometheus' text format. */
  text(): string {
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const [labels, series] of this.#series) {
      const before = labels === '' ? '' : `${labels},`;
      const braces = labels === '' ? '' : `{${labels}}`;
      let count = 0;
      for (const [i, bound] of [...this.#bounds, '+Inf'].entries()) {
        count += series.counts[i] ?? 0;
        lines.push(`${this.#name}_bucket{${before}le="${bound}"} ${count}`);
      }
      lines.push(`${this.#name}_sum${braces} ${series.sum}`, `${this.#name}_count${braces} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

class Buckets implements Series {
  readonly #bounds: readonly number[];
  /** The count of each bucket by itself; the last is for values above every bound. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > (this.#bounds[i] as number)) i += 1;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
  }
}
