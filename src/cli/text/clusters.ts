import type { ClusterSummary } from '../../../gen/discovery/v1/operator_pb.ts';
import { ClusterState } from '../api/tables.ts';
import { msOf } from '../api/time.ts';
import { stateText } from './cluster.ts';
import { table } from './table.ts';
import { shortSpan } from './time.ts';

const HEADINGS = ['TOKEN', 'STATE', 'MEMBERS', 'AGE', 'WAITING', 'BY', 'NODES'];
/** The length of a generated token. Longer ones are cut if they would fill the line. */
const TOKEN_SHOWN = 32;
const TOKENS_IN_NARROW = 2 * TOKEN_SHOWN;

/** Formats one row per cluster. The last column is cut at the width of the terminal, but not in a file. */
export function clustersText(
  clusters: readonly ClusterSummary[],
  now: number,
  width: number | undefined,
): string {
  const isNarrow = width !== undefined && width < TOKENS_IN_NARROW + TOKEN_SHOWN;
  const rows = clusters.map((cluster) => rowOf(cluster, now, isNarrow));
  // Without authentication, creators are unknown.
  const hasMakers = clusters.some(({ creator }) => creator !== '') && !isNarrow;
  const shown = [HEADINGS, ...rows].map((row) => row.filter((_, i) => hasMakers || HEADINGS[i] !== 'BY'));
  const [headings = [], ...cells] = shown;
  const text = table(headings, cells);
  return width === undefined ? text : text.replace(/[^\n]+/g, (line) => cut(line, width));
}

function rowOf(cluster: ClusterSummary, now: number, isNarrow: boolean): string[] {
  const { token, state, size, memberCount, memberNames, createTime, waitingSince, warnings, creator } =
    cluster;
  const since = (time: typeof createTime): string => (time === undefined ? '' : shortSpan(now - msOf(time)));
  return [
    isNarrow ? cut(token, TOKEN_SHOWN) : token,
    `${stateText(state)}${warnings.length > 0 ? '!' : ''}`,
    `${memberCount}/${size}`,
    since(createTime),
    state === ClusterState.ASSEMBLING ? since(waitingSince) : '',
    creator,
    whoText(memberNames, cluster.description),
  ];
}

function whoText(names: readonly string[], description: string): string {
  const about = description === '' ? '' : `(${description})`;
  return [names.join(','), about].filter((text) => text !== '').join(' ');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
