import {
  type Compare,
  Compare_CompareResult,
  Compare_CompareTarget,
} from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import type { KeyValue } from '../../gen/etcd/mvccpb/kv_pb.ts';
import { invalid } from './errors.ts';
import { textOf } from './keys.ts';

/**
 * Whether a comparison holds for a key. An undefined key does not exist: its revisions and version are 0, and
 * no comparison of its value holds.
 */
export function holds(compare: Compare, kv: KeyValue | undefined): boolean {
  const { target, targetUnion: wanted } = compare;
  // As in etcd, the target selects what is compared, and a missing operand is 0 or empty.
  switch (target) {
    case Compare_CompareTarget.VERSION:
      return compares(compare, kv?.version ?? 0n, wanted.case === 'version' ? wanted.value : 0n);
    case Compare_CompareTarget.CREATE:
      return compares(
        compare,
        kv?.createRevision ?? 0n,
        wanted.case === 'createRevision' ? wanted.value : 0n,
      );
    case Compare_CompareTarget.MOD:
      return compares(compare, kv?.modRevision ?? 0n, wanted.case === 'modRevision' ? wanted.value : 0n);
    case Compare_CompareTarget.LEASE:
      return compares(compare, 0n, wanted.case === 'lease' ? wanted.value : 0n);
    case Compare_CompareTarget.VALUE:
      if (kv === undefined) return false;
      return compares(compare, textOf(kv.value), wanted.case === 'value' ? textOf(wanted.value) : '');
    default:
      throw invalid(`unknown compare target ${target}`);
  }
}

function compares<T extends bigint | string>({ result }: Compare, left: T, right: T): boolean {
  switch (result) {
    case Compare_CompareResult.EQUAL:
      return left === right;
    case Compare_CompareResult.NOT_EQUAL:
      return left !== right;
    case Compare_CompareResult.GREATER:
      return left > right;
    case Compare_CompareResult.LESS:
      return left < right;
    default:
      throw invalid(`unknown compare result ${result}`);
  }
}
