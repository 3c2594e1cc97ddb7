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
    const answer = await client.getCluster({ token });
    const { cluster } = answer;
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the response of the service has no cluster');
    const live = cluster.state === ClusterState.ASSEMBLING || cluster.state === ClusterState.COMPLETE;
    // A deleted token has no members.
    const list = cluster.state === ClusterState.DELETED ? undefined : await client.listMembers({ token });
    if (json) {
      printJson(apiJson(list ?? without(answer)));
      return;
    }
    terminal.out(clusterText(list?.cluster ?? cluster, style));
    if (list !== undefined && list.members.length > 0) {
      terminal.out(`\n${membersText(list.members, list.standbys)}`);
    }
    const warnings = warningsText(list?.cluster ?? cluster, style);
    if (live && warnings !== '') terminal.out(`\n${warnings}`);
    if (list !== undefined && list.initialCluster !== '') {
      terminal.out(`\n${style.bold('initial cluster:')} ${list.initialCluster}\n`);
    }
  },
});

/** Returns the list of a cluster without members. */
function without({ cluster, revision }: GetClusterResponse): ListMembersResponse {
  const none = { members: [], standbys: [], initialCluster: '', revision };
  return { $typeName: 'discovery.v1.ListMembersResponse', ...none, ...(cluster && { cluster }) };
}
