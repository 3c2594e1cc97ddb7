import { create } from '@bufbuild/protobuf';
import { type Warning, WarningKind, WarningSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { PeerWarning } from '../values/peer-warnings.ts';

/** Converts a warning to a message. Used for the service's responses and for warnings computed by a watch. */
export function warningMessage({ kind, members, text }: PeerWarning): Warning {
  return create(WarningSchema, { kind: WarningKind[kind], members: [...members], text });
}
