import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createClient, type Interceptor, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { Access, ClusterState, MemberEventType } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import {
  Dialect,
  DiscoveryService,
  RegisterMode,
  RegisterOutcome,
  RegisterRequestSchema,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { reasonOf } from '../../src/client/refusal.ts';
import { inProcessClient } from '../../src/rpc/client.ts';
import { discoveryService } from '../../src/rpc/service.ts';
import { onlyInLongRuns } from '../slow.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';
import { follow, infra, rejectionDetail } from './calls.ts';
import { listedReasons } from './listed-reasons.ts';

// The promises of the API, checked over every transport.

function overWire(
  make: (options: { baseUrl: string; interceptors: Interceptor[] }) => Transport,
): (service: RunningService) => DiscoveryClient {
  return (service) =>
    createClient(DiscoveryService, make({ baseUrl: service.url, interceptors: [noteReasons] }));
}

/** The reasons for which calls of each RPC were rejected. */
const given = new Map<string, Set<string>>();

const noteReasons: Interceptor = (next) => async (request) => {
  const note = (thrown: unknown): never => {
    const reason = reasonOf(thrown);
    const reasons = given.get(request.method.name) ?? new Set();
    if (reason !== undefined) given.set(request.method.name, reasons.add(reason));
    throw thrown;
  };
  const answer = await next(request).catch(note);
  if (!answer.stream) return answer;
  const { message } = answer;
  const noted = async function* () {
    try {
      yield* message;
    } catch (thrown) {
      note(thrown);
    }
  };
  return { ...answer, message: noted() };
};

const TRANSPORTS: Record<string, (service: RunningService) => DiscoveryClient> = {
  'in process': (service) => inProcessClient(discoveryService(service.discovery, assert.ifError)),
  'Connect JSON over HTTP/1.1': overWire((options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useBinaryFormat: false }),
  ),
  'Connect over HTTP/1.1, reads by GET': overWire((options) =>
    createConnectTransport({ ...options, httpVersion: '1.1', useHttpGet: true }),
  ),
  'Connect over HTTP/2': overWire((options) => createConnectTransport({ ...options, httpVersion: '2' })),
  'gRPC over HTTP/2': overWire((options) => createGrpcTransport(options)),
  'gRPC-Web over HTTP/1.1': overWire((options) => createGrpcWebTransport({ ...options, httpVersion: '1.1' })),
  'gRPC-Web over HTTP/2': overWire((options) => createGrpcWebTransport({ ...options, httpVersion: '2' })),
};

let service: RunningService;
before(async () => {
  service = await startService({ minTtl: 1 });
});
after(() => service.stop());

/** The protocols and the versions of HTTP that these combine are tested in others as well. */
const COMBINED: ReadonlySet<string> = new Set(['Connect over HTTP/2', 'gRPC-Web over HTTP/2']);

for (const [transport, connect] of Object.entries(TRANSPORTS)) {
  suite(transport, { skip: COMBINED.has(transport) && onlyInLongRuns }, () => {
    let client: DiscoveryClient;
    before(() => {
      client = connect(service);
    });

    async function newToken(size: number): Promise<string> {
      const { cluster } = await client.createToken({ size });
      assert.ok(cluster);
      return cluster.token;
    }

    test('a cluster forms, is read, loses a member and is deleted', async () => {
      const made = await client.createToken({ size: 2, description: 'two nodes' });
      assert.ok(made.created);
      assert.match(made.cluster?.token ?? '', /^[0-9a-f]{32}$/);
      assert.equal(made.cluster?.state, ClusterState.ASSEMBLING);
      assert.equal(made.cluster.description, 'two nodes');
      const token = made.cluster.token;

      const first = await client.register({ token, ...infra(1) });
      assert.equal(first.outcome, RegisterOutcome.CREATED);
      assert.ok(first.revision > made.revision);
      assert.equal(first.member?.createRevision, first.revision);
      assert.equal((await client.listMembers({ token })).initialCluster, '');

      const gone = await client.deregister({ token, memberId: '1' });
      assert.equal(gone.member?.name, 'infra1');
      assert.equal(gone.cluster?.memberCount, 0);
      assert.equal(gone.cluster?.cutRevision, gone.revision);
      await client.register({ token, ...infra(1) });

      const second = await client.register({
        token,
        ...infra(2),
        peerUrls: ['http://10.0.0.2:2380', 'http://10.1.0.2:2380'],
      });
      assert.equal(second.cluster?.state, ClusterState.COMPLETE);
      const list = await client.listMembers({ token });
      assert.deepEqual(
        list.members.map((member) => member.name),
        ['infra1', 'infra2'],
      );
      assert.equal(
        list.initialCluster,
        'infra1=http://10.0.0.1:2380,infra2=http://10.0.0.2:2380,infra2=http://10.1.0.2:2380',
      );

      const deleted = await client.deleteToken({ token });
      assert.equal(deleted.cluster?.state, ClusterState.DELETED);
      const again = await client.deleteToken({ token });
      assert.deepEqual([deleted.deleted, again.deleted], [true, false]);
      assert.deepEqual(again.cluster, deleted.cluster);
      const nobodys = await rejectionDetail(client.deleteToken({ token: 'nobody-made-this' }));
      assert.equal(nobodys.reason, ErrorReason.TOKEN_NOT_FOUND);
      assert.ok(deleted.revision > gone.revision);
      assert.equal((await client.getCluster({ token })).cluster?.state, ClusterState.DELETED);
    });

    test('a retry returns the first registration, and a replacement keeps its rank', async () => {
      const token = await newToken(3);
      const first = await client.register({ token, ...infra(1) });
      await client.register({ token, ...infra(2) });
      const again = await client.register({ token, ...infra(1) });
      assert.equal(again.outcome, RegisterOutcome.UNCHANGED);
      assert.deepEqual(again.member, first.member);

      const peerUrls = ['https://10.0.0.11:2380'];
      const replaced = await client.register({ token, ...infra(1), peerUrls, mode: RegisterMode.REPLACE });
      assert.equal(replaced.outcome, RegisterOutcome.REPLACED);
      assert.deepEqual(replaced.previous, first.member);
      assert.equal(replaced.member?.createRevision, first.revision);
      assert.equal(replaced.member.modRevision, replaced.revision);
      const { members } = await client.listMembers({ token });
      assert.deepEqual(
        members.map((member) => [member.id, member.rank]),
        [
          ['1', 1],
          ['2', 2],
        ],
      );
      await client.deregister({ token, memberId: '1' });
      const [only] = (await client.listMembers({ token })).members;
      assert.deepEqual([only?.id, only?.rank], ['2', 1]);
    });

    test('a member that registers too late stays a standby, as the members of a complete cluster are final', async () => {
      const token = await newToken(1);
      await client.register({ token, ...infra(1) });
      const late = await client.register({ token, ...infra(2), whenFull: WhenFull.STANDBY });
      assert.ok(late.standby);
      const list = await client.listMembers({ token });
      assert.deepEqual(
        list.standbys.map((member) => member.id),
        ['2'],
      );
      assert.equal(list.initialCluster, 'infra1=http://10.0.0.1:2380');
      for (const call of [
        () => client.deregister({ token, memberId: '1' }),
        () => client.register({ token, ...infra(1), name: 'other', mode: RegisterMode.REPLACE }),
        () => client.register({ token, ...infra(1), name: 'other', mode: RegisterMode.CREATE_OR_REPLACE }),
      ]) {
        const formed = await rejectionDetail(call());
        assert.equal(formed.reason, ErrorReason.CLUSTER_FORMED);
        assert.deepEqual([formed.member?.id, formed.cluster?.formed], ['1', true]);
      }
      const out = await client.deregister({ token, memberId: '2' });
      assert.deepEqual([late.member?.rank, out.member?.rank], [2, 2]);
      assert.deepEqual((await client.listMembers({ token })).members, list.members);
      const { cluster } = await client.deleteToken({ token });
      assert.equal(cluster?.formed, true);
      const late2 = await rejectionDetail(client.register({ token, ...infra(2) }));
      assert.equal(late2.reason, ErrorReason.TOKEN_DELETED);
      assert.match(late2.text, /its cluster was complete; add this node .* etcdctl member add/);
    });

    test('every rejection has a reason and a message', async () => {
      const token = await newToken(1);
      const mine = { token, ...infra(1) };
      const { member } = await client.register(mine);

      const invalid = await rejectionDetail(client.createToken({ size: 0 }));
      assert.deepEqual([invalid.reason, invalid.field], [ErrorReason.INVALID_ARGUMENT, 'size']);
      assert.match(invalid.text, /1 to 1000 members, not 0/);

      assert.equal(
        (await rejectionDetail(client.listMembers({ token: 'nobody-made-this' }))).reason,
        ErrorReason.TOKEN_NOT_FOUND,
      );

      const taken = await rejectionDetail(client.createToken({ size: 5, token }));
      assert.deepEqual([taken.reason, taken.cluster?.size], [ErrorReason.TOKEN_EXISTS, 1]);

      const other = { ...mine, memberId: '2' };
      const name = await rejectionDetail(client.register(other));
      assert.equal(name.reason, ErrorReason.NAME_TAKEN);
      assert.deepEqual(name.member, member);
      const url = await rejectionDetail(client.register({ ...other, name: 'infra2' }));
      assert.equal(url.reason, ErrorReason.PEER_URL_TAKEN);
      assert.match(url.text, /infra1/);
      const id = await rejectionDetail(client.register({ ...mine, peerUrls: ['http://10.0.0.9:2380'] }));
      assert.equal(id.reason, ErrorReason.MEMBER_EXISTS);
      assert.ok(id.revision > 0n);

      assert.equal(
        (await rejectionDetail(client.register({ token, ...infra(2) }))).reason,
        ErrorReason.CLUSTER_FULL,
      );
      const expectedModRevision = 1_000_000n;
      const stale = await rejectionDetail(
        client.register({ ...mine, mode: RegisterMode.REPLACE, expectedModRevision, name: 'other' }),
      );
      assert.equal(stale.reason, ErrorReason.REVISION_MISMATCH);
      const nobody = await rejectionDetail(client.deregister({ token, memberId: 'nobody' }));
      assert.equal(nobody.reason, ErrorReason.MEMBER_NOT_FOUND);

      const first = await newToken(3);
      await client.register({ token: first, ...infra(1), discoveryText: `http://disc/${first}` });
      const text = await rejectionDetail(
        client.register({ token: first, ...infra(2), discoveryText: first }),
      );
      assert.deepEqual(
        [text.reason, text.member?.discoveryText],
        [ErrorReason.DISCOVERY_TEXT_DIFFERS, `http://disc/${first}`],
      );

      await client.deleteToken({ token });
      const deleted = await rejectionDetail(client.register(mine));
      assert.equal(deleted.reason, ErrorReason.TOKEN_DELETED);
      assert.ok(deleted.deleteTime);
    });

    test('a repeat of CreateToken matches by request_id and by all other fields', async () => {
      const requestId = randomBytes(16).toString('base64url');
      const { JOIN } = Access;
      const asked = { requestId, size: 3, guard: [JOIN] };
      const made = await client.createToken(asked);
      const again = await client.createToken(asked);
      assert.ok(made.created && again.created);
      assert.deepEqual(again.cluster, made.cluster);
      assert.deepEqual(again.secrets, made.secrets);
      const token = made.cluster?.token ?? '';
      const secret = made.secrets[0]?.secret ?? '';
      await client.register({ token: `${token}:${secret}`, ...infra(1) });

      const chosen = `mine-${requestId}`;
      const others = [
        { ...asked, size: 4 },
        { ...asked, guard: [Access.READ, JOIN] },
        { ...asked, description: 'another' },
        { ...asked, allowRejoin: true },
        { ...asked, ttl: { seconds: 3600n } },
        { ...asked, requestId: `${requestId}x` },
        { ...asked, token: chosen },
      ];
      for (const other of others) {
        const { cluster, secrets } = await client.createToken(other);
        assert.notEqual(cluster?.token, token);
        assert.ok(secrets.every((each) => each.secret !== secret));
      }
      const own = await client.createToken({ ...asked, token: chosen });
      const first = await client.createToken({ ...asked, token: chosen });
      assert.deepEqual(own.secrets, first.secrets);
      const strange = { ...asked, token: chosen, requestId: randomBytes(16).toString('base64url') };
      const taken = await rejectionDetail(client.createToken(strange));
      assert.deepEqual([taken.reason, taken.cluster], [ErrorReason.TOKEN_EXISTS, undefined]);

      const short = await rejectionDetail(client.createToken({ ...asked, requestId: 'guessed' }));
      assert.deepEqual([short.reason, short.field], [ErrorReason.INVALID_ARGUMENT, 'request_id']);
      await client.deleteToken({ token: `${token}:${secret}` });
      assert.equal((await rejectionDetail(client.createToken(asked))).reason, ErrorReason.TOKEN_DELETED);
    });

    test('GetServiceInfo returns the version and the limits', async () => {
      const info = await client.getServiceInfo({});
      const { policy } = service.discovery;
      assert.equal(info.maxSize, policy.maxSize);
      assert.equal(Number(info.defaultTtl?.seconds) * 1000, policy.defaultTtl);
      assert.equal(Number(info.retention?.seconds) * 1000, policy.retention);
      assert.deepEqual(info.dialects, [Dialect.V2, Dialect.V3]);
      assert.deepEqual([info.createNeedsCredential, info.useNeedsCredential], [false, false]);
      assert.ok((await client.createToken({ size: info.defaultSize })).created);
    });

    test('an error about a large member leaves room for the whole response', async () => {
      const token = await newToken(1);
      const peerUrls = Array.from({ length: 16 }, (_, i) => `http://${'x'.repeat(280)}:${2380 + i}`);
      const member = { token, memberId: '1', name: '\u00fc'.repeat(200), peerUrls };
      await client.register({ ...member, discoveryText: 'd'.repeat(1000) });
      const taken = await rejectionDetail(client.register({ ...member, memberId: '2' }));
      assert.equal(taken.reason, ErrorReason.NAME_TAKEN);
      assert.deepEqual([taken.member?.name, taken.member?.peerUrls[0]], [member.name, peerUrls[0]]);
      assert.ok((taken.member?.peerUrls.length ?? 0) < peerUrls.length);
    });

    test('a watch sends a snapshot, then every change once and in order, and ends with the token', async () => {
      const token = await newToken(3);
      await client.register({ token, ...infra(1) });
      const watched = follow(client, { token });
      const snapshot = await watched.next('snapshot');
      assert.deepEqual(
        snapshot.members.map((member) => member.id),
        ['1'],
      );

      const second = await client.register({ token, ...infra(2) });
      await client.register({ token, ...infra(2), name: 'renamed', mode: RegisterMode.REPLACE });
      await client.deregister({ token, memberId: '1' });
      for (const i of [3, 4]) await client.register({ token, ...infra(i) });
      await client.deleteToken({ token });
      const events = await watched.events();
      assert.deepEqual(
        events.map(({ type, member, state }) => [type, member?.name, state]),
        [
          [MemberEventType.REGISTERED, 'infra2', ClusterState.ASSEMBLING],
          [MemberEventType.REPLACED, 'renamed', ClusterState.ASSEMBLING],
          [MemberEventType.DEREGISTERED, 'infra1', ClusterState.ASSEMBLING],
          [MemberEventType.REGISTERED, 'infra3', ClusterState.ASSEMBLING],
          [MemberEventType.REGISTERED, 'infra4', ClusterState.COMPLETE],
          [MemberEventType.TOKEN_DELETED, undefined, ClusterState.DELETED],
        ],
      );
      assert.equal(events[0]?.revision, second.revision);
      assert.equal(events[1]?.previous?.name, 'infra2');
    });

    test('a watch resumes from any revision and receives what it missed', async () => {
      const token = await newToken(3);
      const revisions = [];
      for (const i of [1, 2, 3]) revisions.push((await client.register({ token, ...infra(i) })).revision);
      for (let seen = 0; seen <= 3; seen++) {
        const afterRevision = seen === 0 ? 0n : revisions[seen - 1];
        assert.ok(afterRevision !== undefined);
        const watched = follow(client, { token, afterRevision });
        const started = await watched.next('started');
        assert.ok(started.revision >= (revisions[2] ?? 0n));
        for (const revision of revisions.slice(seen))
          assert.equal((await watched.next('event')).revision, revision);
        watched.stop();
      }
    });

    test('a cancelled watch leaves nothing behind', async () => {
      const token = await newToken(2);
      const watched = follow(client, { token });
      await watched.next('snapshot');
      assert.ok(service.discovery.watchers() > 0);
      watched.stop();
      await waitFor('the watch to end', () => service.discovery.watchers() === 0);
    });

    test('an expired token reports when it expired, and its watches receive the event', async () => {
      const made = await client.createToken({ size: 3, ttl: { seconds: 0n, nanos: 300_000_000 } });
      const token = made.cluster?.token ?? '';
      // The watch resumes from a revision, so it starts even if the token has expired on a slow machine.
      const watched = follow(client, { token, afterRevision: made.revision });
      await watched.next('started');
      const ended = await rejectionDetail(watched.events());
      assert.equal(ended.reason, ErrorReason.TOKEN_EXPIRED);
      const late = await rejectionDetail(client.register({ token, ...infra(1) }));
      assert.equal(late.reason, ErrorReason.TOKEN_EXPIRED);
      assert.deepEqual(late.expireTime, made.cluster?.expireTime);
      assert.match(late.text, /expired \d+ s ago with 0 of 3 nodes registered; reopen it/);
    });

    test('the members of an expired token stay readable until it is forgotten, unless retention is off', async () => {
      const token = await newToken(2);
      const { cluster: live, member } = await client.register({ token, ...infra(1) });
      assert.ok(live?.purgeTime && live.expireTime);
      const retention = live.purgeTime.seconds - live.expireTime.seconds;
      assert.equal(retention, BigInt(service.discovery.policy.retention / 1000));
      await client.reopenToken({ token, ttl: { seconds: 0n, nanos: 1_000_000 } });
      await waitFor(
        'the end',
        async () => (await client.getCluster({ token })).cluster?.state === ClusterState.EXPIRED,
      );
      const { cluster, members } = await client.listMembers({ token });
      assert.deepEqual([cluster?.state, cluster?.memberCount], [ClusterState.EXPIRED, 1]);
      assert.deepEqual(members, [member]);
      assert.ok(cluster?.purgeTime && cluster.purgeTime.seconds < live.purgeTime.seconds);
      const refused = await rejectionDetail(client.listMembers({ token, refuseExpired: true }));
      assert.match(refused.text, /1 of 2 nodes registered \(infra1\); reopen it/);
      assert.equal(refused.reason, ErrorReason.TOKEN_EXPIRED);
    });

    test('each secret of a guarded token grants its access and those below', async () => {
      const { READ, JOIN, ADMINISTER } = Access;
      const made = await client.createToken({ size: 2, guard: [READ, JOIN, ADMINISTER] });
      assert.deepEqual(made.cluster?.guard, [READ, JOIN, ADMINISTER]);
      const token = made.cluster.token;
      const guarded = new Map(made.secrets.map(({ access, secret }) => [access, `${token}:${secret}`]));
      assert.deepEqual([...guarded.keys()], [READ, JOIN, ADMINISTER]);
      const calls = {
        [READ]: (as: string) => client.listMembers({ token: as }),
        [JOIN]: (as: string) => client.register({ token: as, ...infra(1) }),
        [ADMINISTER]: (as: string) => client.reopenToken({ token: as }),
      };
      for (const [needed, call] of Object.entries(calls)) {
        assert.equal((await rejectionDetail(call(token))).reason, ErrorReason.UNAUTHENTICATED);
        assert.equal((await rejectionDetail(call(`${token}:wrong`))).reason, ErrorReason.FORBIDDEN);
        for (const [access, as] of guarded) {
          if (access >= Number(needed)) await call(as);
          else assert.equal((await rejectionDetail(call(as))).reason, ErrorReason.FORBIDDEN);
        }
      }
      const watched = follow(client, { token: guarded.get(READ) ?? '' });
      assert.equal((await watched.next('snapshot')).members.length, 1);
      watched.stop();
      assert.equal(
        (await rejectionDetail(follow(client, { token }).events())).reason,
        ErrorReason.UNAUTHENTICATED,
      );
      assert.equal((await rejectionDetail(client.getCluster({ token }))).reason, ErrorReason.UNAUTHENTICATED);
      const member = { token: guarded.get(JOIN) ?? '', memberId: '1' };
      assert.equal((await rejectionDetail(client.deregister(member))).reason, ErrorReason.FORBIDDEN);
      await client.deregister({ ...member, token: guarded.get(ADMINISTER) ?? '' });
      await client.deleteToken({ token: guarded.get(ADMINISTER) ?? '' });
    });

    test('an access without its own secret is guarded by those below it', async () => {
      const { cluster, secrets } = await client.createToken({ size: 2, guard: [Access.JOIN] });
      const token = cluster?.token ?? '';
      await client.listMembers({ token });
      assert.equal(
        (await rejectionDetail(client.deleteToken({ token }))).reason,
        ErrorReason.UNAUTHENTICATED,
      );
      assert.deepEqual(
        secrets.map(({ access }) => access),
        [Access.JOIN],
      );
      await client.deleteToken({ token: `${token}:${secrets[0]?.secret}` });
    });

    test('a guarded token is created once, and neither its secrets nor its purpose are returned again', async () => {
      const token = `guarded-${Math.random()}`;
      const request = { token, size: 1, description: 'private', guard: [Access.READ] };
      const { secrets } = await client.createToken(request);
      const isTaken = async (): Promise<void> => {
        for (const again of [request, { token, size: 1 }, { token, size: 1, description: 'private' }]) {
          const refused = await rejectionDetail(client.createToken(again));
          assert.equal(refused.reason, ErrorReason.TOKEN_EXISTS);
          assert.equal(refused.cluster, undefined);
          assert.doesNotMatch(refused.text, /private|size/);
        }
      };
      await isTaken();
      await client.deleteToken({ token: `${token}:${secrets[0]?.secret}` });
      await isTaken();
    });

    test('reopening an expired token keeps its members and tells its watches the new expiry', async () => {
      const ttl = { seconds: 0n, nanos: 200_000_000 };
      const made = await client.createToken({ size: 2, ttl });
      const token = made.cluster?.token ?? '';
      const registered = await client.register({ token, ...infra(1) }).catch(() => undefined);
      await waitFor('the token to expire', async () => {
        const { cluster } = await client.getCluster({ token });
        return cluster?.state === ClusterState.EXPIRED;
      });
      const reopened = await client.reopenToken({ token });
      assert.equal(reopened.cluster?.state, ClusterState.ASSEMBLING);
      assert.ok(reopened.revision > (registered ?? made).revision);
      assert.equal((await client.listMembers({ token })).members.length, registered === undefined ? 0 : 1);
      const watched = follow(client, { token });
      await watched.next('snapshot');
      await client.reopenToken({ token, ttl });
      assert.equal((await rejectionDetail(watched.events())).reason, ErrorReason.TOKEN_EXPIRED);
      await client.reopenToken({ token });
      await client.deleteToken({ token });
      assert.equal((await rejectionDetail(client.reopenToken({ token }))).reason, ErrorReason.TOKEN_DELETED);
    });

    test('the server accepts a message created in advance as well as a plain object', async () => {
      const token = await newToken(1);
      const answer = await client.register(create(RegisterRequestSchema, { token, ...infra(1) }));
      assert.equal(answer.outcome, RegisterOutcome.CREATED);
    });
  });
}

test('every RPC lists each reason that its calls were rejected for', () => {
  const listed = listedReasons();
  assert.ok([...given.values()].reduce((sum, { size }) => sum + size, 0) > 20, 'calls were rejected');
  const unlisted = [...given].flatMap(([rpc, reasons]) =>
    [...reasons].filter((reason) => !listed.get(rpc)?.has(reason)).map((reason) => `${rpc}: ${reason}`),
  );
  assert.deepEqual(unlisted, []);
});
