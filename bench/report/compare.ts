import { type Figure, figuresOf } from './figures.ts';
import type { Results } from './results.ts';
import { number, range, table } from './table.ts';

/** Changes smaller than this are the machine's. */
const SMALL = 0.05;

/**
 * Two runs beside each other, by figures that are mostly ratios to a baseline of the same run, as two runs never have
 * the same machine to themselves. What lies within the spread of either run, or of a few percent, is no change.
 */
export function comparison(before: Results, now: Results): string {
  const earlier = new Map(figuresOf(before).map((figure) => [figure.name, figure]));
  const rows = figuresOf(now).flatMap((figure) => {
    const was = earlier.get(figure.name);
    return was === undefined ? [] : [comparisonRow(was, figure)];
  });
  if (rows.length === 0) return 'The other run has measured nothing of this.';
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
