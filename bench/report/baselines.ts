// Tables of calls, waiters and bootstraps, each beside its baseline.

import type { BootstrapResult } from '../measure/bootstrap.ts';
import type { CallsRow } from '../measure/call-rows.ts';
import type { WaitersMetric, WaitersRow } from '../measure/waiters.ts';
import type { Spread } from '../support/stats.ts';
import { number, range, table, whole } from './table.ts';

export function callsTable(rows: readonly CallsRow[]): string {
  const hasGo = rows.some((row) => row.go !== undefined);
  const head = [
    'operation',
    'in flight',
    'service/s',
    'baseline/s',
    'service / baseline',
    'spread',
    'by CPU time',
    'service CPU us',
    'baseline CPU us',
    'p50 ms',
    'p99 ms',
    ...(hasGo ? ['Go/s', 'service / Go'] : []),
  ];
  const isBound = ({ generatorBound: { baseline, service } }: CallsRow): boolean => baseline || service;
  const text = table(
    head,
    rows.map(({ operation, inFlight, baseline, service, ratio, cpuRatio, go, goRatio, generatorBound }) => [
      operation,
      String(inFlight),
      whole(service.callsPerSecond.median) + (generatorBound.service ? ' *' : ''),
      whole(baseline.callsPerSecond.median) + (generatorBound.baseline ? ' *' : ''),
      ratio.median.toFixed(2),
      range(ratio),
      cpuRatio.median.toFixed(2),
      whole(service.cpuMicros.median),
      whole(baseline.cpuMicros.median),
      service.latencyMsMedian.median.toFixed(1),
      service.latencyMs99.median.toFixed(1),
      ...(hasGo ? [go ? whole(go.callsPerSecond.median) : '', goRatio ? goRatio.median.toFixed(1) : ''] : []),
    ]),
  );
  return rows.some(isBound)
    ? `${text}\n\n\\* The load generator was the busier one: the true rate is higher.`
    : text;
}

const WAITERS: readonly (readonly [WaitersMetric, string, (value: number) => string])[] = [
  ['rssBytesEach', 'memory each (resident), KB', kilobytes],
  ['idleCpuMs', 'CPU time of all in an idle second, ms', number],
  ['wakeCpuMs', 'CPU time to wake all, ms', whole],
  ['medianMs', 'median woken after, ms', number],
  ['lastMs', 'last woken after, ms', number],
];

export function waitersTable(rows: readonly WaitersRow[]): string {
  const hasGo = rows.some((row) => row.go !== undefined);
  return table(
    ['waiting', 'service', 'baseline', 'service / baseline', 'spread', ...(hasGo ? ['Go'] : [])],
    rows.flatMap(({ how, count, connections, service, baseline, ratio, go }) =>
      // Alone, it is the median and the last.
      WAITERS.filter(([metric]) => count > 1 || metric === 'lastMs')
        .filter(([metric]) => !Number.isNaN(service[metric].median))
        .map(([metric, what, show]) => [
          `${count} x ${how}, ${connections} connections: ${what}`,
          show(service[metric].median),
          show(baseline[metric].median),
          number(ratio[metric].median),
          range(ratio[metric]),
          ...(hasGo ? [go === undefined ? '' : show(go[metric].median)] : []),
        ]),
    ),
  );
}

export function bootstrapTable({ isPinned, plainEtcd, warmService, coldService }: BootstrapResult): string {
  const cores = isPinned ? 'a core of their own' : 'all cores shared, as taskset is not installed';
  const row = (name: string, service: Spread, plain: Spread) => [
    name,
    service.median.toFixed(1),
    plain.median.toFixed(1),
    (service.median / plain.median).toFixed(2),
    range(service),
    range(plain),
  ];
  return table(
    [
      `nodes of etcd 3.7 in discovery, ${cores}, ms`,
      'service',
      'plain etcd 3.7',
      'ratio',
      'service spread',
      'etcd spread',
    ],
    [
      row('three at once', warmService.together, plainEtcd.together),
      row('three at once, the first cluster of a new service', coldService.together, plainEtcd.together),
      row('the third, for which two wait', warmService.third, plainEtcd.third),
    ],
  );
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
