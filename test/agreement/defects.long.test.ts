import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { ClusterState, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type ListMembersResponse,
  ListMembersResponseSchema,
  type WatchMembersResponse,
} from '../../gen/discovery/v1/service_pb.ts';
import { isComplete } from '../../src/discovery/cluster.ts';
import type { ClusterSize } from '../../src/discovery/types.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { explore } from './explore.ts';
import type { Answer } from './node.ts';
import { memoryData, type OpenStore, setupOf } from './setup.ts';
import type { Violation } from './verdicts.ts';

// A law that detects nothing would hold for any service, so each of these defects must break the law named for it.

/** Drops every message of a watch after the first. */
function deaf(real: LocalClient): LocalClient {
  return {
    ...real,
    async *watchMembers(
      ...args: Parameters<LocalClient['watchMembers']>
    ): AsyncGenerator<WatchMembersResponse> {
      for await (const response of real.watchMembers(...args)) {
        if (response.update.case !== 'event') yield response;
      }
    },
  };
}

/** Lists the first member at another address than its own. */
function lying(real: LocalClient): LocalClient {
  return {
    ...real,
    async listMembers(...args: Parameters<LocalClient['listMembers']>): Promise<ListMembersResponse> {
      const list = await real.listMembers(...args);
      const members = list.members.map((member, i) =>
        i === 0 && list.members.length > 1 ? { ...member, peerUrls: ['http://10.0.0.99:2380'] } : member,
      );
      return create(ListMembersResponseSchema, { ...list, members });
    },
  };
}

/** Forgets that nodes may have counted members that were removed or replaced. */
function forgetful(real: LocalClient): LocalClient {
  return {
    ...real,
    async listMembers(...args: Parameters<LocalClient['listMembers']>): Promise<ListMembersResponse> {
      const list = await real.listMembers(...args);
      if (list.cluster === undefined) return list;
      return create(ListMembersResponseSchema, { ...list, cluster: { ...list.cluster, cutRevision: 0n } });
    },
    async *watchMembers(
      ...args: Parameters<LocalClient['watchMembers']>
    ): AsyncGenerator<WatchMembersResponse> {
      for await (const response of real.watchMembers(...args)) {
        const { update } = response;
        const isCut = update.case === 'event' && update.value.type !== MemberEventType.REGISTERED;
        yield isCut
          ? { ...response, update: { ...update, value: { ...update.value, state: ClusterState.COMPLETE } } }
          : response;
      }
    },
  };
}

/** Decides on a complete cluster as if one member were missing, so its members are not final. */
function unfinal(data: OpenStore): OpenStore {
  return async () => {
    const store = await data();
    return {
      key: store.key,
      ping: () => store.ping(),
      revision: () => store.revision(),
      read: (token) => store.read(token),
      events: (token, after, limit) => store.events(token, after, limit),
      list: (after, limit, onDamaged) => store.list(after, limit, onDamaged),
      ending: (from, until, limit) => store.ending(from, until, limit),
      newest: (phase, after, limit) => store.newest(phase, after, limit),
      onCommit: (listener) => store.onCommit(listener),
      sweep: (endedBefore, limit) => store.sweep(endedBefore, limit),
      close: () => store.close(),
      write: (token, decide) =>
        store.write(token, (cluster) =>
          decide(
            cluster && isComplete(cluster)
              ? { ...cluster, size: (cluster.members.length + 1) as ClusterSize }
              : cluster,
          ),
        ),
    };
  };
}

/** What happens to a node that counts on: it leaves with the wrong list, or never. */
const FORGOTTEN: ReadonlyArray<Violation['law']> = ['AGREEMENT', 'FINALITY', 'PROGRESS'];

const DEFECTS: ReadonlyArray<
  [defect: (real: LocalClient) => LocalClient, laws: ReadonlyArray<Violation['law']>]
> = [
  [deaf, ['PROGRESS']],
  [lying, ['AGREEMENT', 'FINALITY']],
];

for (const [defect, laws] of DEFECTS) {
  for (const [dialects, gateway] of [
    ['22', 'v2Client'],
    ['33', 'v3Client'],
  ] as const) {
    test(`a service that is ${defect.name} to nodes of v${dialects[0]} is detected`, async () => {
      const { failure } = await explore({ ...setupOf(2, dialects, {}), mutation: { [gateway]: defect } });
      assert.ok(failure !== undefined && laws.includes(failure.violation.law), failure?.violation.words);
    });
  }
}

for (const [dialects, gateway] of [
  ['222', 'v2Client'],
  ['333', 'v3Client'],
] as const) {
  test(`a service that is ${forgetful.name} to nodes of v${dialects[0]} is detected`, async () => {
    const { failure } = await explore({
      ...setupOf(2, dialects, { cuts: 1 }),
      mutation: { [gateway]: forgetful },
    });
    assert.ok(failure !== undefined && FORGOTTEN.includes(failure.violation.law), failure?.violation.words);
  });
}

/** Sends the members of a complete cluster one by one. A node checks after each response whether it has enough. */
function piecemeal(real: Answer): readonly Answer[] {
  if (real.type !== 'EVENTS') return [real];
  return real.events.map((event) => ({ ...real, events: [event] }));
}

test(`a service that is ${piecemeal.name} to nodes of v3 is detected`, async () => {
  const { failure } = await explore({
    ...setupOf(3, '333', { cuts: 1 }),
    mutation: { v3Answer: piecemeal },
  });
  assert.ok(failure !== undefined && FORGOTTEN.includes(failure.violation.law), failure?.violation.words);
});

test('a service whose complete clusters are not final is detected', async () => {
  const { failure } = await explore({
    ...setupOf(2, '23', { cuts: 1 }),
    newData: () => unfinal(memoryData()),
  });
  assert.equal(failure?.violation.law, 'FINALITY', failure?.violation.words);
});
