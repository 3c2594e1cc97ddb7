// Tables of the targets, and of a service over a full store.

import type { TokensRow } from '../measure/tokens.ts';
import type { Spread } from '../support/stats.ts';
import type { Figure } from './figures.ts';
import { number, range, table } from './table.ts';
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
  const rates = rows.find(({ rates: each }) => each.length > 0)?.rates ?? [];
  const cell = ({ median }: Spread, show: (value: number) => string): string => show(median);
  const line = (name: string, of: (row: TokensRow) => string): string[] => [name, ...rows.map(of)];
  return table(
    ['a store with tokens', ...rows.map(({ tokens }) => String(tokens))],
    [
      line('start, ms', ({ startMs }) => cell(startMs, whole)),
      line('start, nothing in the page cache, ms', ({ coldStartMs }) =>
        coldStartMs === undefined ? '' : cell(coldStartMs, whole),
      ),
      line('memory after the start, page cache left out, MB', ({ startedBytes }) => megabytes(startedBytes)),
      line('memory after the calls below, MB', ({ usedBytes }) => megabytes(usedBytes)),
      ...rates.flatMap(({ operation, inFlight }, index) => {
        const name = `${operation}, ${inFlight} in flight`;
        return [
          line(`${name}: calls/s`, ({ rates: each }) => {
            const rate = each[index];
            return rate === undefined ? '' : cell(rate.perSecond, whole);
          }),
          line(`${name}: ratio`, ({ rates: each }) => {
            const rate = each[index];
            if (rate === undefined) return '';
            const spread = range(rate.ratio);
            return spread === '' ? number(rate.ratio.median) : `${number(rate.ratio.median)} (${spread})`;
          }),
          line(`${name}: ratio by CPU time`, ({ rates: each }) =>
            each[index] === undefined ? '' : number(each[index].cpuRatio.median),
          ),
        ];
      }),
    ],
  );
}

function whole(value: number): string {
  return value.toFixed(0);
}
