// Tables of the targets, and of the service with a full store.

import type { TokensRate, TokensRow } from '../measure/tokens.ts';
import type { Figure } from './figures.ts';
import { number, range, table, whole } from './table.ts';
import { outcomesOf, type Target } from './targets.ts';

export function targetsTable(figures: readonly Figure[]): string {
  const wanted = ({ atLeast, atMost }: Target): string =>
    atLeast === undefined ? `at most ${number(atMost ?? 0)}` : `at least ${number(atLeast)}`;
  return table(
    ['target', 'wanted', 'worst', 'spread', 'beside it', 'reached', 'too close to tell', 'the worst is'],
    outcomesOf(figures).map(({ target, measured, reached, tooClose, worst: { name, value, beside } }) => [
      target.what,
      wanted(target),
      number(value.median),
      range(value),
      beside === undefined ? '' : `${beside.what} ${number(beside.value.median)}`,
      reached === measured ? 'yes' : `no: ${reached} of ${measured}`,
      tooClose === 0 ? '' : String(tooClose),
      name,
    ]),
  );
}

export function tokensTable(rows: readonly TokensRow[]): string {
  const megabytes = (bytes: number): string => number(bytes / 1e6);
  const line = (name: string, of: (row: TokensRow) => string): string[] => [name, ...rows.map(of)];
  const rates = rows.find((row) => row.rates.length > 0)?.rates ?? [];
  const rateLines = ({ operation, inFlight }: TokensRate, index: number): string[][] => {
    const rateLine = (what: string, show: (rate: TokensRate) => string): string[] =>
      line(`${operation}, ${inFlight} in flight: ${what}`, ({ rates: each }) =>
        each[index] === undefined ? '' : show(each[index]),
      );
    return [
      rateLine('calls/s', ({ perSecond }) => whole(perSecond.median)),
      rateLine('ratio', ({ ratio }) => `${number(ratio.median)} (${range(ratio)})`.replace(' ()', '')),
      rateLine('ratio by CPU time', ({ cpuRatio }) => number(cpuRatio.median)),
    ];
  };
  return table(
    ['a store with tokens', ...rows.map(({ tokens }) => String(tokens))],
    [
      line('start, ms', ({ startMs }) => whole(startMs.median)),
      line('memory after the start, page cache left out, MB', ({ startedBytes }) => megabytes(startedBytes)),
      line('memory after the calls below, MB', ({ usedBytes }) => megabytes(usedBytes)),
      ...rates.flatMap(rateLines),
    ],
  );
}
