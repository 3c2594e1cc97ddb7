import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { Access } from '../../gen/discovery/v1/cluster_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../gen/discovery/v1/error_pb.ts';
import type { DiscoveryClient } from '../../src/client/discovery-client.ts';
import { memberId, named, node, token } from '../store/support/commands.ts';
import { forgetHistory } from '../support/forget-history.ts';
import { type Answer, send, v2, value } from './http.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

type Reason = keyof typeof ErrorReason;

/** A rejected request, and what a node then prints: `CODE: message (cause) [index]`. */
interface Refusal {
  readonly what: string;
  readonly reason: Reason;
  readonly options?: StackOptions;
  /** Causes it in a cluster of size 2 with the token "t" and the member 1, infra1. */
  readonly act: (stack: Stack) => Promise<Answer>;
  readonly status: number;
  readonly line: string | RegExp;
}

const CURL = (size: number): string => `curl 'http://disc\\.example/new\\?size=${size}'`;
const PUT = (stack: Stack, path: string, text: string): Promise<Answer> =>
  send(stack.url, 'PUT', path, value(text));
const days = 86_400_000;

const REFUSALS: readonly Refusal[] = [
  {
    what: 'an unknown token',
    reason: 'TOKEN_NOT_FOUND',
    act: (stack) => send(stack.url, 'GET', '/00112233/_config/size'),
    status: 404,
    line: new RegExp(`^100: Key not found \\(no such token: .* create a new one: ${CURL(3)}\\) \\[2\\]$`),
  },
  {
    what: 'an invalid token',
    reason: 'INVALID_ARGUMENT',
    act: (stack) => send(stack.url, 'GET', '/half%20a%20token/_config/size'),
    status: 404,
    line: new RegExp(
      `^100: Key not found \\(a token must have 1 to 128 .*; create a new one: ${CURL(3)}\\) \\[0\\]$`,
    ),
  },
  {
    what: 'an expired token',
    reason: 'TOKEN_EXPIRED',
    act: (stack) => {
      stack.advance(7 * days + 2 * 3_600_000);
      return send(stack.url, 'GET', '/t/_config/size');
    },
    status: 404,
    line: new RegExp(
      `^100: Token expired \\(the token expired 2 h ago with 1 of 2 nodes registered \\(infra1\\); reopen it with etcd-discovery reopen, or create a new one: ${CURL(2)}\\) \\[2\\]$`,
    ),
  },
  {
    what: 'a deleted token',
    reason: 'TOKEN_DELETED',
    act: async (stack) => {
      await stack.client.deleteToken({ token: 't' });
      return PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380');
    },
    status: 404,
    line: new RegExp(
      `^100: Token deleted \\(the token was deleted \\d s ago; create a new one: ${CURL(2)}\\) \\[3\\]$`,
    ),
  },
  {
    what: 'the name of another node',
    reason: 'NAME_TAKEN',
    act: (stack) => PUT(stack, '/t/2?prevExist=false', 'infra1=http://10.0.0.2:2380'),
    status: 412,
    line: /^101: Name is taken \(the name 'infra1' is taken .*http:\/\/10\.0\.0\.1:2380; .*--name\b.*; the token is still valid\) \[2\]$/,
  },
  {
    what: 'two URLs, one of them taken by another node',
    reason: 'PEER_URL_TAKEN',
    act: (stack) =>
      PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380,infra2=http://10.0.0.1:2380'),
    status: 412,
    line: /^101: Peer URL is taken \(the peer URL http:\/\/10\.0\.0\.1:2380 is taken .*'infra1'; .*--initial-advertise-peer-urls\b.*; the token is still valid\) \[2\]$/,
  },
  {
    what: 'all URLs of another node, from which etcd derives the same member id',
    reason: 'PEER_URL_TAKEN',
    act: (stack) => PUT(stack, '/t/1?prevExist=false', 'infra2=http://10.0.0.1:2380'),
    status: 412,
    line: /^101: Peer URL is taken \(the peer URL http:\/\/10\.0\.0\.1:2380 is taken .*'infra1'; .*--initial-advertise-peer-urls\b.*; the token is still valid\) \[2\]$/,
  },
  {
    what: 'the id of another node',
    reason: 'MEMBER_EXISTS',
    act: (stack) => PUT(stack, '/t/1?prevExist=false', 'infra1=http://10.0.0.9:2380'),
    status: 412,
    line: '105: Key already exists (/_etcd/registry/t/1) [2]',
  },
  {
    what: 'a peer URL with a path',
    reason: 'INVALID_ARGUMENT',
    act: (stack) => PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380/raft'),
    status: 400,
    line: /^209: Invalid field \(the peer URL 'http:\/\/10\.0\.0\.2:2380\/raft' is not valid; use http:\/\/host:port .*; the token is still valid\) \[0\]$/,
  },
  {
    what: 'no name',
    reason: 'INVALID_ARGUMENT',
    act: (stack) => PUT(stack, '/t/2?prevExist=false', '=http://10.0.0.2:2380'),
    status: 400,
    line: '209: Invalid field (the member has no name; start etcd with --name; the token is still valid) [0]',
  },
  {
    what: 'an unknown member',
    reason: 'MEMBER_NOT_FOUND',
    act: (stack) => PUT(stack, '/t/2?prevExist=true', 'infra2=http://10.0.0.2:2380'),
    status: 404,
    line: '100: Key not found (/_etcd/registry/t/2) [2]',
  },
  {
    what: 'another revision of the member',
    reason: 'REVISION_MISMATCH',
    act: (stack) => PUT(stack, '/t/1?prevIndex=1', 'infra1=http://10.0.0.9:2380'),
    status: 412,
    line: '101: Compare failed ([1 != 2]) [2]',
  },
  {
    what: 'a node with another --discovery text than the existing member',
    reason: 'DISCOVERY_TEXT_DIFFERS',
    act: async (stack) => {
      const discoveryText = 'http://elsewhere:8087/texts';
      await stack.client.createToken({ token: 'texts', size: 2 });
      await stack.client.register({
        token: 'texts',
        memberId: '1',
        name: 'infra1',
        peerUrls: ['http://10.0.0.1:2380'],
        discoveryText,
      });
      const { host } = new URL(stack.url);
      const id = createHash('sha1').update(`http://10.0.0.2:2380http://${host}/texts`).digest();
      return PUT(
        stack,
        `/texts/${id.readBigUInt64BE().toString(16)}?prevExist=false`,
        'infra2=http://10.0.0.2:2380',
      );
    },
    status: 412,
    line: /^101: Discovery text differs \(this node was started with --discovery '.*\/texts', but the member 'infra1' with --discovery 'http:\/\/elsewhere:8087\/texts'; .*; the token is still valid\) \[4\]$/,
  },
  {
    what: 'more standbys than the limit',
    reason: 'TOO_MANY_STANDBYS',
    act: async (stack) => {
      const all = Array.from({ length: 101 }, (_, i) => {
        const memberId = `${i + 2}`;
        const peerUrls = [`http://10.0.1.${memberId}:2380`];
        return stack.client.register({ token: 't', memberId, name: `n${memberId}`, peerUrls, whenFull: 2 });
      });
      await Promise.all(all);
      return PUT(stack, '/t/1000?prevExist=false', 'late=http://10.0.2.1:2380');
    },
    status: 403,
    line: /^110: Cluster is full \(.* 100 standbys, .*etcdctl member add.*\) \[103\]$/,
  },
  {
    what: 'a member that returns to the complete cluster without its data',
    reason: 'REJOIN_REFUSED',
    act: async (stack) => {
      await PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380');
      stack.advance(60_000);
      return PUT(stack, '/t/1?prevExist=false', 'infra1=http://10.0.0.1:2380');
    },
    status: 412,
    line: /^101: Rejoin rejected \(this node is already a member of the complete cluster; .* existing data, .*\) \[3\]$/,
  },
  {
    what: 'the removal of a member of a complete cluster',
    reason: 'CLUSTER_FORMED',
    act: async (stack) => {
      await PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380');
      return send(stack.url, 'DELETE', '/t/1');
    },
    status: 403,
    line: /^110: Cluster is complete \(the cluster is complete, .* etcdctl member remove .*\) \[3\]$/,
  },
  {
    what: 'history that an earlier version partly dropped',
    reason: 'REVISION_COMPACTED',
    act: (stack) => {
      forgetHistory(stack.discovery, 't', 2n);
      return send(stack.url, 'GET', '/t?recursive=true&wait=true&waitIndex=2');
    },
    status: 400,
    line: /^401: The event in requested index is outdated and cleared \(.* revision 1 .*; the token is still valid\) \[2\]$/,
  },
  {
    what: 'a token that has reached its limit of changes',
    reason: 'TOKEN_WORN_OUT',
    act: async (stack) => {
      // Together with its registration, all changes except the one that the other member needs.
      const all = Array.from({ length: 4094 }, (_, i) =>
        stack.discovery.register(
          token('t'),
          node(1, { id: memberId('1'), ...named(`n${i}`), mode: 'REPLACE' }),
        ),
      );
      await Promise.all(all);
      return send(stack.url, 'DELETE', '/t/1');
    },
    status: 403,
    line: /^110: Token is worn out \(.* 4095 of its 4096 changes, .*; create a new token\) \[4096\]$/,
  },
  {
    what: 'a custom token that is taken by a cluster of another size',
    reason: 'TOKEN_EXISTS',
    act: (stack) => send(stack.url, 'PUT', '/t/_config/size', { body: 'value=5' }),
    status: 412,
    line: /^105: Key already exists \(the token already exists with size 2, .* choose another token for a cluster of size 5\) \[2\]$/,
  },
  {
    what: 'a custom token that is a path of the service',
    reason: 'INVALID_ARGUMENT',
    act: (stack) => send(stack.url, 'PUT', '/health/_config/size', { body: 'value=5' }),
    status: 400,
    line: "209: Invalid field ('health' is one of the service's own paths; choose another token) [0]",
  },
  {
    what: 'a custom token where they are off',
    reason: 'CUSTOM_TOKEN_REFUSED',
    options: { policy: { customTokens: false } },
    act: (stack) => send(stack.url, 'PUT', '/mine/_config/size', { body: 'value=5' }),
    status: 403,
    line: new RegExp(
      `^110: Rejected \\(this service does not accept custom tokens; .*: ${CURL(5)}\\) \\[0\\]$`,
    ),
  },
  {
    what: 'a token above the limit',
    reason: 'TOO_MANY_TOKENS',
    options: { policy: { maxTokens: 1 } },
    act: (stack) => send(stack.url, 'PUT', '/mine/_config/size', { body: 'value=5' }),
    status: 429,
    line: /^110: Too many tokens \(the service has reached its limit of 1 tokens; .*\) \[2\]$/,
  },
  {
    what: 'a list while the service stops, so that the node retries',
    reason: 'SHUTTING_DOWN',
    options: { client: failing('SHUTTING_DOWN') },
    act: (stack) => send(stack.url, 'GET', '/t'),
    status: 500,
    line: '301: Service is stopping (message of the service) [9]',
  },
  {
    what: 'a list while the store is unavailable, so that the node retries',
    reason: 'STORE_UNAVAILABLE',
    options: { client: failing('STORE_UNAVAILABLE') },
    act: (stack) => send(stack.url, 'GET', '/t'),
    status: 500,
    line: '300: Store is unavailable (message of the service) [9]',
  },
  {
    what: 'a registration while the store is unavailable: not a 5xx, at which the node would exit without a message',
    reason: 'STORE_UNAVAILABLE',
    options: { client: failing('STORE_UNAVAILABLE') },
    act: (stack) => PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380'),
    status: 409,
    line: '300: Store is unavailable (message of the service; the token is still valid: start this node again) [9]',
  },
  {
    what: 'a read above the rate limit, so that the node retries',
    reason: 'TOO_MANY_REQUESTS',
    options: { client: failing('TOO_MANY_REQUESTS') },
    act: (stack) => send(stack.url, 'GET', '/t?recursive=true&wait=true&waitIndex=2'),
    status: 503,
    line: '300: Too many requests (message of the service) [9]',
  },
  {
    what: 'a registration above the rate limit: not a 5xx, at which the node would exit without a message',
    reason: 'TOO_MANY_REQUESTS',
    options: { client: failing('TOO_MANY_REQUESTS') },
    act: (stack) => PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380'),
    status: 429,
    line: '110: Too many requests (message of the service; the token is still valid: start this node again) [9]',
  },
  {
    what: 'a guarded token without its secret',
    reason: 'UNAUTHENTICATED',
    act: async (stack) => {
      await stack.client.createToken({ token: 'guarded', size: 1, guard: [Access.READ] });
      return send(stack.url, 'GET', '/guarded/_config/size');
    },
    status: 401,
    line: /^110: Credentials required \(this token requires a secret; pass TOKEN:SECRET .*\) \[3\]$/,
  },
  {
    what: 'a guarded token with another secret',
    reason: 'FORBIDDEN',
    act: async (stack) => {
      await stack.client.createToken({ token: 'guarded', size: 1, guard: [Access.JOIN] });
      return PUT(stack, '/guarded:wrong/1?prevExist=false', 'infra1=http://10.0.0.1:2380');
    },
    status: 403,
    line: /^110: Not authorized \(this secret does not allow registering members; .*\) \[3\]$/,
  },
  {
    what: 'a defect of the service',
    reason: 'INTERNAL',
    options: { client: failing('INTERNAL') },
    act: (stack) => send(stack.url, 'DELETE', '/t/1'),
    status: 500,
    line: '300: Internal error (message of the service) [9]',
  },
  {
    what: 'a full cluster, a reason that no v2 call returns',
    reason: 'CLUSTER_FULL',
    options: { client: failing('CLUSTER_FULL') },
    act: (stack) => PUT(stack, '/t/2?prevExist=false', 'infra2=http://10.0.0.2:2380'),
    status: 403,
    line: '110: Cluster is full (message of the service) [9]',
  },
  {
    what: 'a reason from a service newer than this gateway',
    reason: 'UNSPECIFIED',
    options: { client: failing('UNSPECIFIED') },
    act: (stack) => send(stack.url, 'GET', '/t'),
    status: 500,
    line: '300: Internal error (message of the service) [9]',
  },
];

/** Returns a client of a service that rejects every call. */
function failing(reason: Reason): (real: DiscoveryClient) => DiscoveryClient {
  const value = create(ErrorDetailSchema, { reason: ErrorReason[reason], revision: 9n });
  const details = [{ desc: ErrorDetailSchema, value }];
  const call = (): Promise<never> =>
    Promise.reject(new ConnectError('message of the service', Code.Unknown, undefined, details));
  return (real) =>
    new Proxy(real, { get: (target, name) => (name === 'createToken' ? target.createToken : call) });
}

suite('a rejected node logs the reason for', () => {
  for (const { what, options, act, status, line } of REFUSALS) {
    test(what, async (t) => {
      const stack = await startStack({ urlFor: () => 'http://disc.example', ...options });
      t.after(() => stack.close());
      const customTokens = options?.policy?.customTokens ?? true;
      if (customTokens) await stack.client.createToken({ token: 't', size: 2 });
      else await stack.client.createToken({ size: 2 });
      if (customTokens && options?.client === undefined) {
        await stack.client.register({
          token: 't',
          memberId: '1',
          name: 'infra1',
          peerUrls: ['http://10.0.0.1:2380'],
        });
      }

      const answer = await act(stack);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-type'], 'application/json');
      const { errorCode, message, cause, index } = v2(answer);
      assert.equal(answer.headers['x-etcd-index'], String(index));
      const printed = `${errorCode}: ${message} (${cause}) [${index}]`;
      if (typeof line === 'string') assert.equal(printed, line);
      else assert.match(printed, line);
      assert.doesNotMatch(printed, /["\n]/, 'one line without characters that a log would escape');
      assert.deepEqual(stack.defects, []);
    });
  }

  test('every reason of the service', () => {
    const met = new Set(REFUSALS.map(({ reason }) => reason));
    assert.deepEqual(
      Object.keys(ErrorReason).filter((reason) => !met.has(reason as Reason)),
      [],
    );
  });
});
