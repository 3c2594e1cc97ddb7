import { create } from '@bufbuild/protobuf';
import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import { ListMembersResponseSchema } from '../../../gen/discovery/v1/service_pb.ts';
import { apiJson } from '../api-json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { clusterText, membersText, warningsText } from '../text/cluster.ts';

export const SHOW = clientCommand({
  name: 'show',
  group: 'Tokens',
  summary: 'show what a cluster is, how far it has come, and who is in it',
  details: 'Expired and deleted tokens are shown as such for as long as the service remembers them.',
  args: ['TOKEN'],
  flags: {},
  examples: ['show http://localhost:8087/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b', 'show my-cluster --output json'],
  async run({ client, token, json, printJson, terminal, style }) {
    const answer = await client.getCluster({ token });
    const { cluster } = answer;
    if (cluster === undefined) throw new Failure(EXIT.FAILED, 'the service answered without a cluster');
    const live = cluster.state === ClusterState.ASSEMBLING || cluster.state === ClusterState.COMPLETE;
    // A deleted one has no members.
    const list = cluster.state === ClusterState.DELETED ? undefined : await client.listMembers({ token });
    if (json) {
      const { revision } = answer;
      printJson(
        apiJson(ListMembersResponseSchema, list ?? create(ListMembersResponseSchema, { cluster, revision })),
      );
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
