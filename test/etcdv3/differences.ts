import { Code } from '@connectrpc/connect';
import type { Plain } from './etcd.ts';

/** Any value except undefined. */
export const ANY: unique symbol = Symbol('any value');

/** An expected response: a plain one whose strings may be patterns. */
export type Expected =
  | Plain
  | RegExp
  | typeof ANY
  | readonly Expected[]
  | { readonly [name: string]: Expected };

/** A response that differs from the recorded one on purpose. */
export interface Difference {
  readonly reason: string;
  /** Returns the expected response, derived from the recorded one. */
  change(recorded: Plain): Expected;
}

function refused(reason: string, code: Code, message: RegExp): Difference {
  return { reason, change: () => ({ code, message }) };
}

const OUTSIDE = refused(
  'no key outside one token is accessible',
  Code.PermissionDenied,
  /^this is a discovery service, .* keys of one token/,
);

function unsupported(reason: string, what: string): Difference {
  return refused(
    reason,
    Code.Unimplemented,
    new RegExp(`^${what} is not supported by this discovery service(; |$)`),
  );
}

const deleted = (words = /^the token was deleted \d+ s ago; create a new one$/): Difference =>
  refused('a deleted token stays taken, and the error says why it is empty', Code.FailedPrecondition, words);

const ONE_KEY = 'a transaction writes one key, with conditions on that key only';
const HEADER: Expected = { clusterId: ANY, memberId: ANY, revision: ANY, raftTerm: ANY };

/** By the names of the steps. Every other response is like etcd 3.7's. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'read: any by create revision, limit 2': {
    reason: 'etcd sorts the first keys up to the limit; here the limit applies to the sorted keys',
    change: (recorded) => {
      const { kvs, ...others } = recorded as { kvs: readonly Plain[] };
      const first = kvs[0] ?? {};
      const second = {
        key: '/_etcd/registry/golden/members/c',
        value: 'infra3=http://10.0.0.3:2380',
        createRevision: 4,
        modRevision: 4,
        version: 1,
      };
      return { ...others, kvs: [first, second] };
    },
  },
  'read: at a revision before the members': refused(
    'only the current state of a token is kept, so its past is compacted',
    Code.OutOfRange,
    /^etcdserver: mvcc: required revision has been compacted$/,
  ),
  'read: everything': OUTSIDE,
  'read: from a member on': OUTSIDE,
  'read: a key outside': OUTSIDE,
  'read: all tokens': OUTSIDE,
  'put: a key outside': OUTSIDE,
  'delete: a key outside': OUTSIDE,
  'transaction: read a key outside': OUTSIDE,
  'watch: a key outside': {
    reason: OUTSIDE.reason,
    change: () => [
      {
        watchId: -1,
        created: true,
        canceled: true,
        cancelReason: /^this is a discovery service, /,
        header: HEADER,
      },
    ],
  },
  'put: an unknown key of the token': unsupported(
    'a token has only a size and members',
    'writing a key other than _config/size and members/ID under a token',
  ),
  'put: a lease that is not there': unsupported('there are no leases at all', 'attaching a lease'),
  'put: ignore the value': unsupported('a member always needs its value', 'ignore_value'),
  'put: ignore the lease': unsupported('leases are not supported', 'ignore_lease'),
  'put: another size': refused(
    'the size of a cluster never changes',
    Code.FailedPrecondition,
    /^the token already exists with size 3\b.*; /,
  ),
  'put: the same size again': {
    reason: 'creating a token again changes nothing',
    change: (recorded) => withHeaderOfPrevious(recorded, 1),
  },
  'put: the same member again': {
    reason: 'a node that crashed or lost the response repeats its registration, which changes nothing',
    change: (recorded) => withHeaderOfPrevious(recorded, 0),
  },
  'put: a member with the name of another': refused(
    'a mistake affects only the node that made it',
    Code.FailedPrecondition,
    /^the name 'infra1' is taken by the member at http:\/\/10\.0\.0\.1:2380; .*--name\b.*deregister/,
  ),
  'put: a bad size': refused(
    'every node would exit at an invalid size',
    Code.InvalidArgument,
    /size must be a whole number of members, not 'abc'$/,
  ),
  'put: a bad member': refused(
    'every node that lists it would exit',
    Code.InvalidArgument,
    /^'infra9' has no equals sign; .*NAME=PEER_URL/,
  ),
  'put: a member without a token': refused(
    'a mistyped token is reported to the node that has it',
    Code.NotFound,
    /^no such token: .* create a new one$/,
  ),
  'transaction: nothing at all': unsupported('it requests nothing', 'a transaction without keys'),
  'transaction: an empty operation': refused(
    'a more specific message',
    Code.InvalidArgument,
    /^an operation of the transaction is empty$/,
  ),
  'transaction: two puts': unsupported(ONE_KEY, 'a transaction with several puts'),
  'transaction: compare one key and put another': unsupported(
    ONE_KEY,
    'a transaction that compares one key and puts another',
  ),
  'transaction: delete': unsupported(ONE_KEY, 'a delete inside a transaction'),
  'transaction: a transaction inside': unsupported(ONE_KEY, 'a transaction inside a transaction'),
  'transaction: compare a range': unsupported(ONE_KEY, 'comparing a range of keys'),
  'delete: everything under the token again': deleted(),
  'read: a deleted token': deleted(),
  'put: the size key of a deleted token': deleted(
    /^the token was deleted at .* and cannot be used again until /,
  ),
  'delete: the size key alone': unsupported(
    'a token with members needs a size',
    'deleting the size key without the members',
  ),
  status: {
    reason: 'the version is that of the dialect; there is no size or quota of the data',
    change: () => ({
      header: HEADER,
      version: '3.6.0',
      storageVersion: '3.6.0',
      dbSize: 1,
      dbSizeInUse: 1,
      leader: ANY,
      raftIndex: ANY,
      raftAppliedIndex: ANY,
      raftTerm: ANY,
    }),
  },
  'members of the cluster': {
    reason: 'the service is the only member, and has no peers',
    change: () => ({
      header: HEADER,
      members: [{ ID: ANY, name: 'etcd-discovery', clientURLs: [/^http:\/\/127\.0\.0\.1:\d+$/] }],
    }),
  },
  'whether authentication is on': {
    reason: 'there are no users whose changes could be counted',
    change: (recorded) => {
      const { authRevision: _, ...others } = recorded as { authRevision: Plain };
      return others;
    },
  },
  'watch: progress and the end of a watch that has not begun': {
    reason: "a revision that the store has not reached is from another store, and the node's log says so",
    change: (recorded) => {
      const kv: Expected = {
        key: ANY,
        modRevision: ANY,
        value: /^the service was restored or replaced/,
      };
      const event: Expected = { watchId: 33, events: [{ type: 1, kv }], header: HEADER };
      return [...(recorded as readonly Expected[]), event];
    },
  },
  'watch: from a revision that is compacted': {
    reason: 'a cancelled watch has a reason and a revision; each token has a history of its own',
    change: (recorded) => {
      const [created] = recorded as readonly [Plain];
      const cancelReason = 'etcdserver: mvcc: required revision has been compacted';
      return [
        { ...(created as object), header: HEADER },
        { canceled: true, compactRevision: ANY, cancelReason, header: HEADER },
      ];
    },
  },
};

/** The header of a put that changed nothing: the store's revision, `after` revisions later than that of the key. */
function withHeaderOfPrevious(recorded: Plain, after: number): Expected {
  const { header, prevKv } = recorded as { header: object; prevKv: { modRevision: number } };
  return { prevKv, header: { ...header, revision: prevKv.modRevision + after } };
}
