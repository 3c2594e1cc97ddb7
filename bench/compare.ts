import type { Results } from './main.ts';
import { table } from './report.ts';

/** Changes smaller than this are the machine's. */
const CHANGE = 0.1;

/**
 * What differs between two runs by more than a tenth. Compared are the ratios to the baseline of the same run,
 * as two runs never have the same machine to themselves.
 */
export function comparison(before: Results, now: Results): string {
  const earlier = new Map(ratiosOf(before));
  const rows = ratiosOf(now).flatMap(([name, ratio]) => {
    const was = earlier.get(name);
    if (was === undefined || !(Math.abs(ratio / was - 1) > CHANGE)) return [];
    return [
      [
        name,
        was.toFixed(2),
        ratio.toFixed(2),
        `${ratio > was ? '+' : ''}${((ratio / was - 1) * 100).toFixed(0)}%`,
      ],
    ];
  });
  if (rows.length === 0) return 'No ratio to a baseline has changed by more than a tenth.';
  return table(['service / baseline, changed by more than a tenth', 'before', 'now', 'change'], rows);
}

function ratiosOf({ calls = [], waiters = [], bootstrap }: Results): [string, number][] {
  return [
    ...calls.map(({ operation, inFlight, ratio }): [string, number] => [
      `${operation}, ${inFlight} in flight: rate`,
      ratio.median,
    ]),
    ...waiters.flatMap(({ how, count, service, baseline }): [string, number][] => [
      [`${count} x ${how}: memory each`, service.rssBytesEach.median / baseline.rssBytesEach.median],
      [`${count} x ${how}: last woken after`, service.lastMs.median / baseline.lastMs.median],
    ]),
    ...(bootstrap === undefined
      ? []
      : ([
          [
            'bootstrap of 3 nodes: time',
            bootstrap.warmService.together.median / bootstrap.plainEtcd.together.median,
          ],
        ] as [string, number][])),
  ];
}
