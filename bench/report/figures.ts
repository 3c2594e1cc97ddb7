// All results as names and numbers, for targets and for comparing runs.

import type { CallsRow } from '../measure/call-rows.ts';
import type { PaceRow } from '../measure/pace.ts';
import type { WaitersRow } from '../measure/waiters.ts';
import { exactly, type Spread, scaled } from '../support/stats.ts';
import type { Results } from './results.ts';

export interface Figure {
  readonly name: string;
  readonly value: Spread;
  readonly better: 'more' | 'less';
  /** A value for context: the same by another measure, or that of the bare server. */
  readonly beside?: { readonly what: string; readonly value: Spread };
}

export function figuresOf(results: Results): readonly Figure[] {
  return [
    ...[...(results.calls ?? []), ...(results.overEtcd ?? [])].flatMap(callFigures),
    ...(results.pace ?? []).map(paceFigure),
    ...(results.waiters ?? []).flatMap(waitersFigures),
    ...bootstrapFigures(results),
    ...startFigures(results),
    ...tokensFigures(results),
  ];
}

function callFigures(row: CallsRow): Figure[] {
  const { baselineName, ratio, cpuRatio, rivals, inFlight, service } = row;
  const name = `${row.operation}, ${row.inFlight} in flight`;
  const byCpu = (value: Spread) => ({ what: 'by CPU time', value });
  const all: Figure[] = [
    { name: `${name}: rate / ${baselineName}`, value: ratio, better: 'more', beside: byCpu(cpuRatio) },
    { name: `${name}: CPU, us a call`, value: service.cpuMicros, better: 'less' },
    { name: `${name}: CPU of ${baselineName} / CPU`, value: cpuRatio, better: 'more' },
  ];
  for (const rival of rivals) {
    const beside = byCpu(rival.cpuRatio);
    all.push({ name: `${name}: rate / ${rival.name}`, value: rival.ratio, better: 'more', beside });
    if (inFlight > 1) continue;
    all.push({ name: `${name}: median latency / ${rival.name}`, value: rival.latencyRatio, better: 'less' });
  }
  return all;
}

function paceFigure({ operation, service, bare }: PaceRow): Figure {
  const beside = { what: 'of bare node:http2', value: bare.tail };
  return {
    name: `${operation} at half of the highest rate: p99 / p50`,
    value: service.tail,
    better: 'less',
    beside,
  };
}

function waitersFigures({ how, count, baselineName, ratio, service, rival }: WaitersRow): Figure[] {
  const name = `${count} x ${how}`;
  const all: Figure[] = [
    { name: `${name}: memory / ${baselineName}`, value: ratio.rssBytesEach, better: 'less' },
    { name: `${name}: memory, KB`, value: scaled(service.rssBytesEach, 1e-3), better: 'less' },
    { name: `${name}: idle CPU, ms a second`, value: service.idleCpuMs, better: 'less' },
    { name: `${name}: median woken / ${baselineName}`, value: ratio.medianMs, better: 'less' },
    { name: `${name}: last woken / ${baselineName}`, value: ratio.lastMs, better: 'less' },
  ];
  if (rival !== undefined) {
    const value = exactly(service.rssBytesEach.median / rival.measured.rssBytesEach.median);
    all.push({ name: `${name}: memory / ${rival.name}`, value, better: 'less' });
  }
  // With few waiters there is no memory figure.
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

function startFigures({ start }: Results): Figure[] {
  if (start === undefined) return [];
  const { ratio, service } = start;
  return [
    { name: 'start: time / bare Node.js with the same modules', value: ratio, better: 'less' },
    { name: 'start: memory after it, MB', value: exactly(service.rssBytes / 1e6), better: 'less' },
  ];
}

function tokensFigures({ tokens: rows = [] }: Results): Figure[] {
  const [empty, few] = rows;
  return rows.flatMap(({ tokens, startMs, startedBytes, usedBytes, rates }): Figure[] => {
    const all: Figure[] = [{ name: `${tokens} tokens: start, ms`, value: startMs, better: 'less' }];
    const memory = (what: string, bytes: number): void => {
      all.push({ name: `${tokens} tokens: memory ${what}, MB`, value: exactly(bytes / 1e6), better: 'less' });
    };
    if (empty !== undefined && tokens > 0) memory('more than empty', startedBytes - empty.startedBytes);
    if (few === undefined || tokens <= few.tokens) return all;
    memory(`after calls more than with ${few.tokens}`, usedBytes - few.usedBytes);
    for (const { operation, inFlight, ratio, cpuRatio } of rates) {
      const name = `${tokens} tokens: ${operation}, ${inFlight} in flight: rate / with ${few.tokens}`;
      const beside = { what: 'by CPU time', value: cpuRatio };
      all.push({ name, value: ratio, better: 'more', beside });
    }
    return all;
  });
}
