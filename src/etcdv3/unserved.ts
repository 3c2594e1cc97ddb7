import type { ConnectError } from '@connectrpc/connect';
import { unsupported } from './errors.ts';

/** Services of an etcd's API, and single methods of them, that discovery has no meaning for: what to do instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['etcdserverpb.Auth', 'who may call is said in the file of --auth-file'],
  [
    'etcdserverpb.Cluster',
    "the members of a token's cluster are the keys under /_etcd/registry/TOKEN/members/",
  ],
  ['etcdserverpb.KV/Compact', 'each token keeps its latest changes by itself'],
  ['etcdserverpb.KV/RangeStream', 'read with Range, in etcdctl without --stream'],
  ['etcdserverpb.Lease', 'members stay until they are deleted or the token expires'],
  ['etcdserverpb.Maintenance', 'there is no etcd here to look after'],
  [
    'etcdserverpb.Maintenance/Snapshot',
    'back up with etcd-discovery backup, or the etcd that holds the data',
  ],
  ['v3electionpb.Election', 'it elects nobody'],
  ['v3lockpb.Lock', 'it has no locks'],
]);

/** The refusal of a call of etcd's API that is not served; undefined for what is not of that API. */
export function unserved(path: string): ConnectError | undefined {
  const [, service = '', method = ''] = /^\/([\w.]+)\/(\w{1,64})$/.exec(path) ?? [];
  const instead = INSTEAD.get(`${service}/${method}`) ?? INSTEAD.get(service);
  return instead === undefined ? undefined : unsupported(`${service}/${method}`, instead);
}
