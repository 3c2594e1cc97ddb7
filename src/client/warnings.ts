import { create } from '@bufbuild/protobuf';
import { type Warning, WarningKind, WarningSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import type { PeerWarning } from '../values/peer-warnings.ts';

/** A warning as the service answers it, and as a watch works it out by itself. */
export function warningMessage({ kind, members, text }: PeerWarning): Warning {
  return create(WarningSchema, { kind: WarningKind[kind], members: [...members], text });
}
