import { type Figure, figuresOf } from './figures.ts';
import type { Results } from './results.ts';
import { number, range, table } from './table.ts';

/** Smaller changes are noise of the machine. */
const SMALL = 0.05;

/**
 * Compares two runs, mostly by ratios to a baseline of the same run, because two runs never have the machine in the
 * same state. A difference within the spread of either run, or of a few percent, is not a change.
 */
export function comparison(before: Results, now: Results): string {
  const earlier = new Map(figuresOf(before).map((figure) => [figure.name, figure]));
  const rows = figuresOf(now).flatMap((figure) => {
    const was = earlier.get(figure.name);
    return was === undefined ? [] : [comparisonRow(was, figure)];
  });
  if (rows.length === 0) return 'The other run measured none of this.';
  return table(
    ['compared with the other run', 'before', 'spread', 'now', 'spread', 'now / before', ''],
    rows,
  );
}

function comparisonRow({ value: was }: Figure, { name, value, better }: Figure): string[] {
  const overlap = value.lowQuartile <= was.highQuartile && was.lowQuartile <= value.highQuartile;
  const ratio = value.median / was.median;
  const isNoise = overlap || Math.abs(ratio - 1) < SMALL;
  return [
    name,
    number(was.median),
    range(was),
    number(value.median),
    range(value),
    number(ratio),
    isNoise ? '' : ratio > 1 === (better === 'more') ? 'better' : 'worse',
  ];
}
