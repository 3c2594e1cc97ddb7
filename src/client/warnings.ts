import { create } from '@bufbuild/protobuf';
import { type Warning, WarningKind, WarningSchema } from '../../gen/discovery/v1/cluster_pb.ts';
import { type PeerMember, peerWarnings } from '../values/peer-warnings.ts';

/** The warnings about a cluster, from its ranked members: what the service answers, and a watch works out by itself. */
export function warningMessages(members: readonly PeerMember[]): Warning[] {
  return peerWarnings(members).map(({ kind, members, text }) =>
    create(WarningSchema, { kind: WarningKind[kind], members: [...members], text }),
  );
}
