import type { ConnectError } from '@connectrpc/connect';
import { unsupported } from './errors.ts';

/** Services and methods of etcd's API without a meaning for discovery: what to use instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['etcdserverpb.Auth', 'callers are configured in --auth-file'],
  [
    'etcdserverpb.Cluster',
    "the members of a token's cluster are the keys under /_etcd/registry/TOKEN/members/",
  ],
  ['etcdserverpb.KV/Compact', 'each token keeps its latest changes automatically'],
  ['etcdserverpb.KV/RangeStream', 'use Range (etcdctl without --stream)'],
  ['etcdserverpb.Lease', 'members stay until they are deleted or the token expires'],
  ['etcdserverpb.Maintenance', 'it has no etcd members to maintain'],
  [
    'etcdserverpb.Maintenance/Snapshot',
    'back up with etcd-discovery backup, or the etcd that holds the data',
  ],
  ['v3electionpb.Election', 'use an etcd cluster for elections'],
  ['v3lockpb.Lock', 'use an etcd cluster for locks'],
]);

/** Returns the error for a method of etcd's API that is not served. Undefined for paths outside that API. */
export function unserved(path: string): ConnectError | undefined {
  const [, service = '', method = ''] = /^\/([\w.]+)\/(\w{1,64})$/.exec(path) ?? [];
  const instead = INSTEAD.get(`${service}/${method}`) ?? INSTEAD.get(service);
  return instead === undefined ? undefined : unsupported(`${service}/${method}`, instead);
}
