import { MemberEventSchema, WarningSchema } from '../../../gen/discovery/v1/cluster_pb.ts';
import { ListMembersResponseSchema } from '../../../gen/discovery/v1/service_pb.ts';
import { type ClusterChange, type ClusterSnapshot, watchCluster } from '../../client/index.ts';
import { apiJson } from '../api-json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT } from '../exit.ts';
import { connectionJson, liveView } from '../text/live.ts';

export const WATCH = clientCommand({
  name: 'watch',
  group: 'Tokens',
  summary: 'watch a cluster assemble: which nodes registered, when, and how many are missing',
  details:
    'The command survives restarts of the service. It runs until the token ends or you press Ctrl-C. To wait until the cluster is complete, use etcd-discovery wait.',
  args: ['TOKEN'],
  flags: {},
  examples: ['watch my-cluster', 'watch my-cluster --output json'],
  async run({ client, token, server, json, printJson, terminal }) {
    const view = json ? undefined : liveView(terminal, 'out', server);
    try {
      const onConnection = view?.connection ?? connectionJson(terminal, server);
      for await (const step of watchCluster(client, token, { onConnection })) {
        if (view === undefined) printJson(stepJson(step));
        else view.update(step);
      }
      return EXIT.ENDED;
    } finally {
      view?.end();
    }
  },
});

/** Formats a step like WatchMembers. An event has no cluster, so its warnings are added next to it. */
function stepJson(step: ClusterSnapshot | ClusterChange): object {
  if (step.type === 'snapshot') return { snapshot: apiJson(ListMembersResponseSchema, step.list) };
  const warnings = step.list.cluster?.warnings ?? [];
  return {
    event: apiJson(MemberEventSchema, step.event),
    warnings: warnings.map((each) => apiJson(WarningSchema, each)),
  };
}
