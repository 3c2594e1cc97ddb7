import type { Cluster, Member, Warning } from '../../../gen/discovery/v1/cluster_pb.ts';
import { printable } from '../../values/quote.ts';
import { ClusterState } from '../api/tables.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { instant, instantFromNow } from './time.ts';

/** Formats `2 of 3, 1 missing`. Nothing is missing any more if the token has ended. */
export function progress({ state, size, memberCount }: Cluster): string {
  const count = `${memberCount} of ${size}`;
  return state === ClusterState.ASSEMBLING ? `${count}, ${size - memberCount} missing` : count;
}

export function stateText(state: ClusterState): string {
  const name = Object.entries(ClusterState).find(([, value]) => value === state)?.[0];
  return (name ?? 'unknown').toLowerCase();
}

/** Describes a cluster and its progress, one property per line. */
export function clusterText(cluster: Cluster, style: Style): string {
  const colours = new Map<ClusterState, keyof Style>([
    [ClusterState.ASSEMBLING, 'yellow'],
    [ClusterState.COMPLETE, 'green'],
  ]);
  const colour = style[colours.get(cluster.state) ?? 'red'];
  const rows: Array<[string, string]> = [
    ['token', cluster.token],
    ['state', colour(stateText(cluster.state))],
    ['members', progress(cluster)],
  ];
  if (cluster.standbyCount > 0) rows.push(['standbys', String(cluster.standbyCount)]);
  if (cluster.description !== '') rows.push(['description', printable(cluster.description)]);
  if (cluster.allowRejoin) rows.push(['rejoin', 'members can register again']);
  rows.push(['created', instantFromNow(cluster.createTime)]);
  if (cluster.state === ClusterState.DELETED) {
    const why = cluster.closedByRestore ? ', because the service was restored from a backup' : '';
    rows.push(['deleted', `${instantFromNow(cluster.deleteTime)}${why}`]);
  } else {
    rows.push([
      cluster.state === ClusterState.EXPIRED ? 'expired' : 'expires',
      instantFromNow(cluster.expireTime),
    ]);
  }
  return rows.map(([name, text]) => `${`${name}:`.padEnd(13)}${text}\n`).join('');
}

/** Formats one line per warning. Empty without warnings. */
export function warningsText({ warnings }: Cluster, style: Style): string {
  return warnings.map((warning) => `${warningText(warning, style)}\n`).join('');
}

export function warningText({ text }: Warning, style: Style): string {
  return `${style.yellow('warning:')} ${printable(text)}`;
}

/** Formats the members in order of rank, followed by the standbys. */
export function membersText(members: readonly Member[], standbys: readonly Member[]): string {
  const row = (rank: string, { name, id, peerUrls, registerTime }: Member): string[] => [
    rank,
    printable(name),
    printable(id),
    printable(peerUrls.join(',')),
    instant(registerTime),
  ];
  return table(
    ['RANK', 'NAME', 'ID', 'PEER URLS', 'REGISTERED'],
    [
      ...members.map((member, i) => row(String(i + 1), member)),
      ...standbys.map((member) => row('standby', member)),
    ],
  );
}
