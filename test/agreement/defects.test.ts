import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import {
  type ListMembersResponse,
  ListMembersResponseSchema,
  type WatchMembersResponse,
} from '../../gen/discovery/v1/service_pb.ts';
import type { LocalClient } from '../../src/etcd/client.ts';
import { explore } from './explore.ts';
import { setupOf } from './setup.ts';
import type { Violation } from './verdicts.ts';

// Laws that notice nothing would hold for any service: each of these defects has to break the law named for it.

/** Loses what happens after the first message of a watch. */
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

/** Lists the first member at an address that is not its own. */
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
    test(`a service that is ${defect.name} to nodes of v${dialects[0]} is found out`, async () => {
      const { failure } = await explore({ ...setupOf(2, dialects, {}), mutation: { [gateway]: defect } });
      assert.ok(failure !== undefined && laws.includes(failure.violation.law), failure?.violation.words);
    });
  }
}
