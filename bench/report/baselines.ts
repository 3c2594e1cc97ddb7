// Tables of calls, waiters and bootstraps, each with its baseline.

import type { BootstrapResult } from '../measure/bootstrap.ts';
import type { CallsRow } from '../measure/call-rows.ts';
import type { GeneratorRow } from '../measure/other-generators.ts';
import type { Paced, PaceRow } from '../measure/pace.ts';
import type { StartResult } from '../measure/start.ts';
import type { WaitersMetric, WaitersRow } from '../measure/waiters.ts';
import type { Spread } from '../support/stats.ts';
import { number, range, table, whole } from './table.ts';

export function callsTable(rows: readonly CallsRow[]): string {
  const names = [...new Set(rows.flatMap(({ rivals }) => rivals.map(({ name }) => name)))];
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
    ...names.flatMap((name) => [`${name}/s`, `service / ${name}`]),
  ];
  const isBound = ({ generatorBound: { baseline, service } }: CallsRow): boolean => baseline || service;
  const text = table(
    head,
    rows.map(({ operation, inFlight, baseline, service, ratio, cpuRatio, rivals, generatorBound }) => [
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
      ...names.flatMap((name) => {
        const rival = rivals.find((each) => each.name === name);
        if (rival === undefined) return ['', ''];
        return [whole(rival.measured.callsPerSecond.median), rival.ratio.median.toFixed(2)];
      }),
    ]),
  );
  return rows.some(isBound)
    ? `${text}\n\n\\* The load generator was busier than the server, whose true rate is higher.`
    : text;
}

export function paceTable(rows: readonly PaceRow[]): string {
  const cells = (operation: string, server: string, { perSecond, p50, p99, tail }: Paced): string[] => [
    `${operation}: ${server}`,
    whole(perSecond.median),
    number(p50.median),
    number(p99.median),
    number(tail.median),
    range(tail),
  ];
  return table(
    ['operation', 'calls/s', 'p50 ms', 'p99 ms', 'p99 / p50', 'spread'],
    rows.flatMap(({ operation, service, bare }) => [
      cells(operation, 'service', service),
      cells(operation, 'bare node:http2', bare),
    ]),
  );
}

export function othersTable(rows: readonly GeneratorRow[]): string {
  return table(
    [
      'operation',
      'generator',
      'in flight',
      'service/s',
      'baseline/s',
      'service / baseline',
      'spread',
      'baseline',
    ],
    rows.map(({ operation, generator, inFlight, service, baseline, ratio, baselineName }) => [
      operation,
      generator,
      String(inFlight),
      whole(service.median),
      whole(baseline.median),
      ratio.median.toFixed(2),
      range(ratio),
      baselineName,
    ]),
  );
}

export function startTable({ service, bare, ratio }: StartResult): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return table(
    ['an empty store', 'service', 'bare Node.js, the same modules', 'ratio', 'spread'],
    [
      [
        'from the start to the first OK, ms',
        whole(service.ms.median),
        whole(bare.ms.median),
        number(ratio.median),
        range(ratio),
      ],
      [
        'resident memory after a rest, MB',
        megabytes(service.rssBytes),
        megabytes(bare.rssBytes),
        number(service.rssBytes / bare.rssBytes),
        '',
      ],
    ],
  );
}

const WAITERS: readonly (readonly [WaitersMetric, string, (value: number) => string])[] = [
  ['rssBytesEach', 'memory each (resident), KB', kilobytes],
  ['idleCpuMs', 'CPU time of all in an idle second, ms', number],
  ['wakeCpuMs', 'CPU time to wake all, ms', whole],
  ['medianMs', 'median woken after, ms', number],
  ['lastMs', 'last woken after, ms', number],
];

export function waitersTable(rows: readonly WaitersRow[]): string {
  const hasRival = rows.some(({ rival }) => rival !== undefined);
  return table(
    [
      'waiting',
      'service',
      'baseline',
      'service / baseline',
      'spread',
      ...(hasRival ? ['other', 'which'] : []),
    ],
    rows.flatMap(({ how, count, connections, service, baseline, ratio, rival }) =>
      // For a single waiter, the median equals the last.
      WAITERS.filter(([metric]) => count > 1 || metric === 'lastMs')
        .filter(([metric]) => !Number.isNaN(service[metric].median))
        .map(([metric, what, show]) => [
          `${count} x ${how}, ${connections} connections: ${what}`,
          show(service[metric].median),
          show(baseline[metric].median),
          number(ratio[metric].median),
          range(ratio[metric]),
          ...(hasRival ? [rival ? show(rival.measured[metric].median) : '', rival?.name ?? ''] : []),
        ]),
    ),
  );
}

export function bootstrapTable({ isPinned, plainEtcd, warmService, coldService }: BootstrapResult): string {
  const cores = isPinned ? 'a core of their own' : 'all cores shared, because taskset is not installed';
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
