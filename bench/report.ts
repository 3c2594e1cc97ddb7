// The results as Markdown tables, to be read on a terminal and pasted into a document.

import type { Row } from './calls.ts';
import type { InProcessResult } from './in-process.ts';
import type { Spread } from './stats.ts';
import type { WaitersMeasured, WaitersResult } from './waiters.ts';

export function callsTable(rows: readonly Row[]): string {
  const head = [
    'operation',
    'in flight',
    'service/s',
    'baseline/s',
    'service / baseline',
    'lowest to highest',
    'service CPU us',
    'baseline CPU us',
  ];
  const generatorBound = rows.some((row) => row.generatorBound);
  const text = table(
    head,
    rows.map((row) => [
      row.operation,
      String(row.inFlight),
      whole(row.service.callsPerSecond.median),
      whole(row.baseline.callsPerSecond.median) + (row.generatorBound ? ' *' : ''),
      row.ratio.median.toFixed(2),
      `${row.ratio.min.toFixed(2)} to ${row.ratio.max.toFixed(2)}`,
      whole(row.service.cpuMicros.median),
      whole(row.baseline.cpuMicros.median),
    ]),
  );
  return generatorBound
    ? `${text}\n\n\\* As fast as the load generator can ask: the true ratio is lower.`
    : text;
}

export function waitersTable({ bareNode, service }: WaitersResult): string {
  const row = (name: string, of: (measured: WaitersMeasured) => Spread, show: (value: number) => string) => [
    name,
    show(of(service).median),
    show(of(bareNode).median),
    (of(service).median / of(bareNode).median).toFixed(2),
  ];
  return table(
    ['waiters', 'service', 'bare Node HTTP', 'service / baseline'],
    [
      row('memory each (resident), KB', (m) => m.rssBytesEach, kilobytes),
      row('of it on the JavaScript heap, KB', (m) => m.heapBytesEach, kilobytes),
      row('first woken after, ms', (m) => m.firstMs, whole),
      row('median woken after, ms', (m) => m.medianMs, whole),
      row('last woken after, ms', (m) => m.lastMs, whole),
      row('CPU time to wake all, ms', (m) => m.wakeCpuMs, whole),
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

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  // The first column is names, the others numbers.
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function whole(value: number): string {
  return Math.round(value).toString();
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
