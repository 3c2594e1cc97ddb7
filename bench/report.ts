// The results as Markdown tables, to be read on a terminal and pasted into a document.

import type { BootstrapResult } from './bootstrap.ts';
import type { Row } from './calls.ts';
import type { InProcessResult } from './in-process.ts';
import type { Spread } from './stats.ts';
import type { StoresRow } from './stores.ts';
import { FEWEST_FOR_MEMORY, type WaitersMeasured, type WaitersRow } from './waiters.ts';

export function callsTable(rows: readonly Row[]): string {
  const hasGo = rows.some((row) => row.go !== undefined);
  const head = [
    'operation',
    'in flight',
    'service/s',
    'baseline/s',
    'service / baseline',
    'lowest to highest',
    'service CPU us',
    'baseline CPU us',
    'p50 ms',
    'p99 ms',
    ...(hasGo ? ['Go/s', 'service / Go'] : []),
  ];
  const isBound = ({ generatorBound: { baseline, service } }: Row): boolean => baseline || service;
  const text = table(
    head,
    rows.map(({ operation, inFlight, baseline, service, ratio, go, goRatio, generatorBound }) => [
      operation,
      String(inFlight),
      whole(service.callsPerSecond.median) + (generatorBound.service ? ' *' : ''),
      whole(baseline.callsPerSecond.median) + (generatorBound.baseline ? ' *' : ''),
      ratio.median.toFixed(2),
      range(ratio),
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

export function waitersTable(rows: readonly WaitersRow[]): string {
  const hasGo = rows.some((row) => row.go !== undefined);
  const cells = (
    { how, count, connections, service, baseline, go }: WaitersRow,
    what: string,
    of: (measured: WaitersMeasured) => Spread,
    show: (value: number) => string,
  ): readonly string[] => [
    `${count} x ${how}, ${connections} connections: ${what}`,
    show(of(service).median),
    show(of(baseline).median),
    (of(service).median / of(baseline).median).toFixed(2),
    ...(hasGo ? [go ? show(of(go).median) : ''] : []),
  ];
  return table(
    ['waiting', 'service', 'baseline', 'service / baseline', ...(hasGo ? ['Go'] : [])],
    rows.flatMap((row) => [
      ...(row.count < FEWEST_FOR_MEMORY
        ? []
        : [
            cells(row, 'memory each (resident), KB', (m) => m.rssBytesEach, kilobytes),
            cells(row, 'of it JavaScript heap, KB', (m) => m.heapBytesEach, kilobytes),
            cells(row, 'CPU time to wake all, ms', (m) => m.wakeCpuMs, whole),
          ]),
      ...(row.count === 1 ? [] : [cells(row, 'first woken after, ms', (m) => m.firstMs, oneDigit)]),
      ...(row.count === 1 ? [] : [cells(row, 'median woken after, ms', (m) => m.medianMs, oneDigit)]),
      cells(row, 'last woken after, ms', (m) => m.lastMs, oneDigit),
    ]),
  );
}

export function storesTable(rows: readonly StoresRow[]): string {
  return table(
    ['durable writes a second', ...rows.map(({ inFlight }) => `${inFlight} in flight`)],
    [
      [
        'bare LMDB, a read and two puts each',
        ...rows.map(({ lmdbPerSecond }) => whole(lmdbPerSecond.median)),
      ],
      [
        'bare etcd 3.7, a conditional put each',
        ...rows.map(({ etcdPerSecond }) => (etcdPerSecond ? whole(etcdPerSecond.median) : 'not there')),
      ],
    ],
  );
}

export function bootstrapTable({ plainEtcd, warmService, coldService }: BootstrapResult): string {
  const row = (name: string, service: Spread, plain: Spread) => [
    name,
    service.median.toFixed(1),
    plain.median.toFixed(1),
    (service.median / plain.median).toFixed(2),
    `${service.min.toFixed(1)} to ${service.max.toFixed(1)}`,
    `${plain.min.toFixed(1)} to ${plain.max.toFixed(1)}`,
  ];
  return table(
    [
      'nodes of etcd 3.7 in discovery, ms',
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

export function inProcessTable(result: InProcessResult): string {
  const { handlerMicros, clientMicros, clientFromFieldsMicros } = result;
  const row = (name: string, { median }: Spread) => [
    name,
    median.toFixed(2),
    (median - handlerMicros.median).toFixed(2),
  ];
  return table(
    ['call in the process', 'us a call', 'more than the handler'],
    [
      row('the handler itself', handlerMicros),
      row('in-process client, with a message', clientMicros),
      row('in-process client, with fields', clientFromFieldsMicros),
    ],
  );
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  // The first column is names, the others numbers.
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function range({ min, max }: Spread): string {
  return `${min.toFixed(2)} to ${max.toFixed(2)}`;
}

function oneDigit(value: number): string {
  return value.toFixed(1);
}

function whole(value: number): string {
  return Math.round(value).toString();
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
