// The life of a cluster, in a page of another origin. Bundled and run by browser.long.test.ts.

import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { ClusterState, ClusterStateSchema } from '../../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReasonSchema } from '../../../gen/discovery/v1/error_pb.ts';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { refusalOf, watchCluster } from '../../../src/client/index.ts';

const TRANSPORTS = {
  Connect: createConnectTransport,
  'Connect with GET': (options: { baseUrl: string }) =>
    createConnectTransport({ ...options, useHttpGet: true }),
  'gRPC-Web': createGrpcWebTransport,
};

async function runStory(how: keyof typeof TRANSPORTS, baseUrl: string): Promise<string[]> {
  const events: string[] = [];
  const client = createClient(DiscoveryService, TRANSPORTS[how]({ baseUrl }));
  const { cluster } = await client.createToken({ size: 2 });
  if (cluster === undefined) throw new TypeError('no cluster');
  const { token } = cluster;
  events.push(`created ${cluster.size}`);
  const node = (i: number, name: string): Parameters<typeof client.register>[0] => ({
    token,
    memberId: `${i}`,
    name,
    peerUrls: [`http://10.0.0.${i}:2380`],
  });
  events.push(`registered ${(await client.register(node(1, 'infra1'))).member?.name}`);
  const names = (members: ReadonlyArray<{ name: string }>): string => members.map(({ name }) => name).join();
  events.push(`listed ${names((await client.listMembers({ token })).members)}`);
  const refusal = await client.register(node(2, 'infra1')).then(() => undefined, refusalOf);
  events.push(`refused ${ErrorReasonSchema.value[refusal?.reason ?? 0]?.name} by ${refusal?.member?.name}`);
  for await (const update of watchCluster(client, token)) {
    if (update.type === 'snapshot') {
      events.push(`snapshot ${names(update.list.members)}`);
      await client.register(node(2, 'infra2'));
    } else {
      const { member, state } = update.event;
      events.push(`event ${member?.name} ${ClusterStateSchema.value[state]?.name}`);
      if (state === ClusterState.COMPLETE) break;
    }
  }
  events.push(`initial_cluster ${(await client.listMembers({ token })).initialCluster}`);
  return events;
}

Object.assign(globalThis, { runStory });
