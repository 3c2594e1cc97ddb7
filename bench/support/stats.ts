/** The distribution over the rounds. Reports show the quartiles, which leave out a single bad moment of the machine. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly lowQuartile: number;
  readonly highQuartile: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    lowQuartile: quantile(sorted, 0.25),
    highQuartile: quantile(sorted, 0.75),
    max: quantile(sorted, 1),
  };
}

/** Returns the ratios of two values that were measured in the same rounds. */
export function ratios(ones: readonly number[], others: readonly number[]): Spread {
  return spread(ones.map((one, round) => one / (others[round] ?? Number.NaN)));
}

/** Returns the quantile, interpolated between neighbours. */
export function quantile(sorted: Float64Array, part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function scaled(value: Spread, by: number): Spread {
  const { median, min, lowQuartile, highQuartile, max } = value;
  const times = { median, min, lowQuartile, highQuartile, max };
  return Object.fromEntries(
    Object.entries(times).map(([name, each]) => [name, each * by]),
  ) as unknown as Spread;
}

/** Returns the spread of a value that was measured once, or follows from medians. */
export function exactly(value: number): Spread {
  return spread([value]);
}
