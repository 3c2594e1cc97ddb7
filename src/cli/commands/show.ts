import type { GetClusterResponse, ListMembersResponse } from '../../../gen/discovery/v1/service_pb.ts';
import { apiJson } from '../api/json.ts';
import { ClusterState } from '../api/tables.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { clusterText, membersText, warningsText } from '../text/cluster.ts';

export const SHOW = clientCommand({
  ...ROWS.show,
  details: 'Expired and deleted tokens are shown until the service removes them.',
  args: ['TOKEN'],
  flags: {},
  examples: ['show http://localhost:8087/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'show my-cluster --output json'],
  async run({ client, token, json, printJson, terminal, style }) {
    const list = await client.listMembers({ token }).catch(async (thrown: unknown) => {
      const { reasonOf } = await import('../../client/refusal.ts');
      if (reasonOf(thrown) !== 'TOKEN_DELETED') throw thrown;
      return without(await client.getCluster({ token }));
    });
    const { cluster, members, standbys, initialCluster } = list;
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the response of the service has no cluster');
    if (json) {
      printJson(apiJson(list));
      return;
    }
    terminal.out(clusterText(cluster, style));
    if (members.length > 0) terminal.out(`\n${membersText(members, standbys)}`);
    const live = cluster.state === ClusterState.ASSEMBLING || cluster.state === ClusterState.COMPLETE;
    const warnings = warningsText(cluster, style);
    if (live && warnings !== '') terminal.out(`\n${warnings}`);
    if (initialCluster !== '') terminal.out(`\n${style.bold('initial cluster:')} ${initialCluster}\n`);
  },
});

/** Returns the list of a deleted cluster, which has no members. */
function without({ cluster, revision }: GetClusterResponse): ListMembersResponse {
  const none = { members: [], standbys: [], initialCluster: '', revision };
  return { $typeName: 'discovery.v1.ListMembersResponse', ...none, ...(cluster && { cluster }) };
}
