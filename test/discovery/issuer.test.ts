import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { create as message } from '@bufbuild/protobuf';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { CreateTokenRequestSchema } from '../../gen/discovery/v1/service_pb.ts';
import { ANYONE, type Caller, hashSecret } from '../../src/discovery/access.ts';
import { apply } from '../../src/discovery/change.ts';
import { decideCreate } from '../../src/discovery/decide-create.ts';
import { DiscoveryError } from '../../src/discovery/errors.ts';
import { DEFAULT_POLICY } from '../../src/discovery/policy.ts';
import { type Cluster, type Millis, millis, revision } from '../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../src/limits.ts';
import { createRequest } from '../../src/rpc/request.ts';

const key = randomBytes(32);
const requestId = randomBytes(16).toString('base64url');
const asked = { size: 3, guard: [Access.READ, Access.JOIN] };

function read(fields: { token?: string }, caller: Caller, by: Uint8Array = key) {
  const request = message(CreateTokenRequestSchema, { requestId, ...asked, ...fields });
  const { command, secrets } = createRequest(request, { policy: DEFAULT_POLICY, key: by }, () => caller);
  return { command, secrets: secrets.map(({ secret }) => secret) };
}

const caller = (name: string | undefined, secret: string): Caller => ({
  ...ANYONE,
  name,
  proof: hashSecret(secret),
});

test('only the same caller of the same service gets the same token and secrets again', () => {
  const own = caller('alice', 'a');
  const first = read({}, own);
  assert.deepEqual(read({}, own), first);
  for (const other of [
    read({}, ANYONE),
    read({}, caller('bob', 'a')),
    read({}, caller('alice', 'b')),
    read({}, own, randomBytes(32)),
  ]) {
    assert.notEqual(other.command.token, first.command.token);
    assert.ok(!other.secrets.some((secret) => first.secrets.includes(secret)));
  }
  assert.equal(new Set(first.secrets).size, 2);
  assert.match(first.command.token, /^[0-9a-f]{32}$/);
});

for (const [what, token] of Object.entries({ issued: '', chosen: 'mine' })) {
  test(`a token that was ${what} is returned again for a minute to the caller that created it`, () => {
    const made = 1_000_000_000_000;
    const { command } = read({ token }, ANYONE);
    const change = decideCreate(undefined, command, millis(made));
    assert.ok(change);
    const { cluster } = apply(undefined, change, revision(1));
    const again = (now: Millis, of: Cluster = cluster) => decideCreate(of, command, now);
    const end = made + CLUSTER_LIMITS.repeatWindow;
    assert.equal(again(millis(end)), undefined);
    const refused = (reason: string, call: () => unknown): void =>
      assert.throws(call, (error) => {
        assert.ok(error instanceof DiscoveryError);
        assert.equal(error.reason, reason);
        if (reason === 'TOKEN_EXISTS')
          assert.equal(error.facts.cluster, undefined, 'the error has no facts of the cluster');
        return true;
      });
    refused('TOKEN_EXISTS', () => again(millis(end + 1)));
    refused('TOKEN_EXISTS', () => again(millis(made - CLUSTER_LIMITS.repeatWindow - 1)));
    refused('TOKEN_DELETED', () => again(millis(made), { ...cluster, deleteTime: millis(made) }));
    if (token === '') return;
    const others = read({ token }, caller('bob', 'b')).command;
    refused('TOKEN_EXISTS', () => decideCreate(cluster, others, millis(made)));
  });
}
