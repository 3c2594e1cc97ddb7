import { type ClusterChange, type ClusterSnapshot, watchCluster } from '../../client/index.ts';
import { apiJson } from '../api/json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { connectionJson, liveView } from '../text/live.ts';
import { watchClient } from '../watch-client.ts';

export const WATCH = clientCommand({
  ...ROWS.watch,
  details:
    'The command survives restarts of the service. It runs until the token ends or you press Ctrl-C. To wait until the cluster is complete, use etcd-discovery wait.',
  args: ['TOKEN'],
  flags: {},
  examples: ['watch my-cluster', 'watch my-cluster --output json'],
  async run({ access, token, server, json, printJson, terminal }) {
    const view = json ? undefined : liveView(terminal, 'out', server);
    try {
      const onConnection = view?.connection ?? connectionJson(terminal, server);
      for await (const step of watchCluster(watchClient(access, json), token, { onConnection })) {
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
  if (step.type === 'snapshot') return { snapshot: apiJson(step.list) };
  const warnings = step.list.cluster?.warnings ?? [];
  return {
    event: apiJson(step.event),
    warnings: warnings.map(apiJson),
  };
}
