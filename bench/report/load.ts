// Tables of what a service goes through that is full, loaded or sweeping, and of the targets.

import type { SteadyRow } from '../measure/call-rows.ts';
import type { SteadyMeasured } from '../measure/steady.ts';
import type { Seen, SweepResult } from '../measure/sweep.ts';
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

export function steadyTable(rows: readonly SteadyRow[], hasPriority: boolean): string {
  const cells = (operation: string, who: string, measured: SteadyMeasured) => [
    `${operation}: ${who}`,
    measured.perSecond.median.toFixed(0),
    ...[measured.p50, measured.p99, measured.max, measured.late99, measured.tail].map(({ median }) =>
      number(median),
    ),
    range(measured.tail),
  ];
  const text = table(
    [
      'at half of the highest rate',
      'calls/s',
      'p50 ms',
      'p99 ms',
      'max ms',
      'generator late, p99 ms',
      'p99 / p50',
      'spread',
    ],
    rows.flatMap(({ operation, baselineName, baseline, service }) => [
      cells(operation, 'the service', service),
      cells(operation, baselineName, baseline),
    ]),
  );
  const priority = hasPriority
    ? 'at real-time priority'
    : 'at the priority of all others, as chrt is not allowed or not installed';
  return `${text}\n\nThe load generator ran ${priority}.`;
}

export function sweepTable({ tokens, swept, seconds, alone, rows }: SweepResult): string {
  const cells = (name: string, { most, perSecond, p50, p99, max }: Seen) => [
    name,
    whole(most),
    whole(perSecond),
    ...[p50, p99, max, p99 / p50].map(number),
  ];
  const calls = table(
    [
      'calls beside the sweep',
      'at the most, a second',
      'at a fixed rate',
      'p50 ms',
      'p99 ms',
      'max ms',
      'p99 / p50',
    ],
    rows.flatMap(({ operation, before, during, wasOver }) => [
      cells(`${operation}: before the sweep`, before),
      cells(`${operation}: while sweeping${wasOver ? ' (over too soon to tell)' : ''}`, during),
    ]),
  );
  const delay = `p50 ${number(alone.p50)} ms, p99 ${number(alone.p99)} ms, at most ${number(alone.max)} ms`;
  return `Of ${tokens} tokens and those of the calls before, all expired, ${swept} were removed in ${number(seconds)} s, these calls beside it. With nothing else to do the sweep delayed the event loop by ${delay}.

${calls}`;
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
