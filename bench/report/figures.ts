// Every result as a name and a number: what targets are set for, and what runs are compared by.

import type { Row } from '../measure/call-rows.ts';
import type { WaitersRow } from '../measure/waiters.ts';
import { exactly, type Spread } from '../support/stats.ts';
import type { Results } from './results.ts';

export interface Figure {
  readonly name: string;
  readonly value: Spread;
  readonly better: 'more' | 'less';
  /** What it is to be read with: the same by another measure, or of the bare server. */
  readonly beside?: { readonly what: string; readonly value: Spread };
}

export function figuresOf(results: Results): readonly Figure[] {
  return [
    ...[...(results.calls ?? []), ...(results.overEtcd ?? [])].flatMap(callFigures),
    ...(results.waiters ?? []).flatMap(waitersFigures),
    ...bootstrapFigures(results),
    ...tokensFigures(results),
  ];
}

function callFigures(row: Row): Figure[] {
  const { baselineName, ratio, cpuRatio, go, goRatio, service } = row;
  const name = `${row.operation}, ${row.inFlight} in flight`;
  const byCpu = (value: Spread) => ({ what: 'by CPU time', value });
  return [
    { name: `${name}: rate / ${baselineName}`, value: ratio, better: 'more', beside: byCpu(cpuRatio) },
    ...(go === undefined || goRatio === undefined
      ? []
      : [
          {
            name: `${name}: rate / Go service`,
            value: goRatio,
            better: 'more' as const,
            beside: byCpu(exactly(go.cpuMicros.median / service.cpuMicros.median)),
          },
        ]),
    { name: `${name}: CPU, us a call`, value: service.cpuMicros, better: 'less' },
    { name: `${name}: CPU of ${baselineName} / CPU`, value: cpuRatio, better: 'more' },
  ];
}

function waitersFigures({ how, count, baselineName, ratio, service, go }: WaitersRow): Figure[] {
  const name = `${count} x ${how}`;
  const all: Figure[] = [
    { name: `${name}: memory / ${baselineName}`, value: ratio.rssBytesEach, better: 'less' },
    { name: `${name}: idle CPU, ms a second`, value: service.idleCpuMs, better: 'less' },
    { name: `${name}: first woken / ${baselineName}`, value: ratio.firstMs, better: 'less' },
    { name: `${name}: median woken / ${baselineName}`, value: ratio.medianMs, better: 'less' },
    { name: `${name}: last woken / ${baselineName}`, value: ratio.lastMs, better: 'less' },
    ...(go === undefined
      ? []
      : [
          {
            name: `${name}: memory / Go service`,
            value: exactly(service.rssBytesEach.median / go.rssBytesEach.median),
            better: 'less' as const,
          },
        ]),
  ];
  // Of a few who wait there is no memory to tell of.
  return all.filter(({ value }) => !Number.isNaN(value.median));
}

function bootstrapFigures({ bootstrap }: Results): Figure[] {
  if (bootstrap === undefined) return [];
  const { warmService, coldService, plainEtcd } = bootstrap;
  const ratio = (name: string, one: Spread, other: Spread): Figure => ({
    name: `bootstrap, ${name}: time / plain etcd`,
    value: exactly(one.median / other.median),
    better: 'less',
  });
  return [
    ratio('three at once', warmService.together, plainEtcd.together),
    ratio('the first cluster of a new service', coldService.together, plainEtcd.together),
    ratio('the third, for which two wait', warmService.third, plainEtcd.third),
  ];
}

function tokensFigures({ tokens: rows = [] }: Results): Figure[] {
  const [empty, few] = rows;
  return rows.flatMap(({ tokens, startMs, startedBytes, usedBytes, rates }): Figure[] => [
    { name: `${tokens} tokens: start, ms`, value: startMs, better: 'less' },
    ...(empty === undefined || tokens === 0
      ? []
      : [
          {
            name: `${tokens} tokens: memory more than empty, MB`,
            value: exactly((startedBytes - empty.startedBytes) / 1e6),
            better: 'less' as const,
          },
        ]),
    ...(few === undefined || tokens <= few.tokens
      ? []
      : [
          {
            name: `${tokens} tokens: memory after calls more than with ${few.tokens}, MB`,
            value: exactly((usedBytes - few.usedBytes) / 1e6),
            better: 'less' as const,
          },
          ...rates.map(({ operation, inFlight, ratio, cpuRatio }) => ({
            name: `${tokens} tokens: ${operation}, ${inFlight} in flight: rate / with ${few.tokens}`,
            value: ratio,
            better: 'more' as const,
            beside: { what: 'by CPU time', value: cpuRatio },
          })),
        ]),
  ]);
}
