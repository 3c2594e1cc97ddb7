import { type ConnectError } from '@connectrpc/connect';
import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import type { ListMembersResponse } from '../../../gen/discovery/v1/service_pb.ts';
import { watchCluster } from '../../client/index.ts';
import { duration, LONGEST_TIMER } from '../../settings/tables/setting.ts';
import { formatDuration } from '../../values/duration.ts';
import { printable } from '../../values/quote.ts';
import { apiJson } from '../api/json.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { NEW_TOKEN, problemOf } from '../problem.ts';
import { ROWS } from '../rows.ts';
import { progress } from '../text/cluster.ts';
import { connectionJson, liveView } from '../text/live.ts';
import { watchClient } from '../watch-client.ts';

export const WAIT = clientCommand({
  ...ROWS.wait,
  details:
    "Standard output gets only the value for etcd's --initial-cluster; standard error shows registrations. The command survives restarts of the service. Exit codes: 0 complete, 4 no such token, 5 the token has expired or was deleted, 6 timed out.",
  args: ['TOKEN'],
  flags: {
    timeout: {
      flag: 'timeout',
      short: 't',
      ...duration('1s', LONGEST_TIMER),
      help: 'How long to wait. Default: until the token expires.',
    },
  },
  examples: ['wait my-cluster --timeout 5m'],
  async run({ flags, access, token, server, json, printJson, terminal }) {
    const signal = flags.timeout === undefined ? undefined : AbortSignal.timeout(flags.timeout);
    const view = json ? undefined : liveView(terminal, 'err', server);
    const tell = view?.connection ?? connectionJson(terminal, server);
    let seen: ListMembersResponse | undefined;
    let lost: ConnectError | undefined;
    try {
      const steps = watchCluster(watchClient(access, json), token, {
        signal,
        onConnection(connection) {
          lost = connection.type === 'lost' ? connection.error : undefined;
          tell(connection);
        },
      });
      for await (const step of steps) {
        seen = step.list;
        view?.update(step);
        if (seen.cluster?.state !== ClusterState.COMPLETE) continue;
        if (json) printJson(apiJson(seen));
        else terminal.out(`${seen.initialCluster}\n`);
        return EXIT.DONE;
      }
    } catch (thrown) {
      if (signal?.aborted !== true) throw thrown;
      const after = `timed out after ${formatDuration(flags.timeout ?? 0)}`;
      throw new Failure(
        EXIT.TIMED_OUT,
        `${after}: ${lost === undefined ? presenceText(seen) : problemOf(lost, server).message}`,
      );
    } finally {
      view?.end();
    }
    throw new Failure(EXIT.ENDED, 'the token was deleted while waiting', NEW_TOKEN);
  },
});

function presenceText(list: ListMembersResponse | undefined): string {
  if (list?.cluster === undefined) return 'the service did not respond';
  const names = list.members.map(({ name }) => printable(name)).join(', ');
  return `${progress(list.cluster)}${names === '' ? '' : `; registered: ${names}`}`;
}
