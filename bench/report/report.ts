// Renders the results of a run as Markdown, for a terminal and for documents.

import type { Plan } from '../plan.ts';
import type { About } from '../support/machine.ts';
import { bootstrapTable, callsTable, othersTable, paceTable, startTable, waitersTable } from './baselines.ts';
import { figuresOf } from './figures.ts';
import { targetsTable, tokensTable } from './load.ts';
import type { Results } from './results.ts';

export function reportOf(about: About, plan: Plan, results: Results): string {
  const { calls, overEtcd, pace, others, waiters, bootstrap, start, tokens } = results;
  const figures = figuresOf(results);
  const sections: readonly (readonly [string, string | false | undefined])[] = [
    ['Targets', figures.length > 0 && targetsTable(figures)],
    ['Calls', calls && callsTable(calls)],
    ['Calls with etcd as the store', overEtcd && callsTable(overEtcd)],
    ['Calls at half of the highest rate', pace && paceTable(pace)],
    ['Calls of other load generators', others && others.length > 0 && othersTable(others)],
    ['Those who wait', waiters && waitersTable(waiters)],
    ['Bootstrap', bootstrap && bootstrapTable(bootstrap)],
    ['Start', start && startTable(start)],
    ['Many tokens', tokens && tokensTable(tokens)],
  ];
  return [
    machineText(about, plan),
    ...sections.flatMap(([title, text]) => (text ? [`## ${title}`, text] : [])),
  ].join('\n\n');
}

function machineText(about: About, { calls, waiters }: Plan): string {
  const busy = `${about.busyCpusBefore.toFixed(1)} before and ${about.busyCpusAfter.toFixed(1)} after`;
  const flush = about.dataOnDisk
    ? `A flush of this disk takes ${about.diskFlushMs.toFixed(2)} ms.`
    : 'The data is in memory: writes look faster than on a disk.';
  const store = calls?.store === 'etcd' ? 'a local etcd' : 'embedded, except where it says etcd';
  const rounds = [
    calls && `calls of ${calls.rounds} rounds of ${calls.slots.map(({ ms }) => ms).join(', ')} ms`,
    waiters && `waiters of ${waiters.rounds}`,
  ].filter((text) => text !== undefined);
  return `Node.js ${about.node} on ${about.system}, ${about.cpus} x ${about.cpu}.
CPUs that other programs kept busy: ${busy}. ${flush}
Store: ${store}. Request log ${about.requestLog}. ${rounds.length > 0 ? `Medians: ${rounds.join(', ')}.` : ''}`.trimEnd();
}
