import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  type CreateTokenRequest,
  RegisterMode,
  type RegisterRequest,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import type { CreateCommand, RegisterCommand } from '../discovery/decide.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Policy } from '../discovery/limits.ts';
import {
  issueToken,
  parseChosenToken,
  parseDescription,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseSize,
  parseTtl,
  revision,
} from '../discovery/model.ts';

// Requests as the core's commands: the one place where their fields are parsed.

export function createCommand(request: CreateTokenRequest, policy: Policy): CreateCommand {
  const asked = request.ttl === undefined ? undefined : durationMs(request.ttl);
  const ttl = parseTtl(asked, policy);
  return {
    token: request.token === '' ? issueToken() : parseChosenToken(request.token, policy),
    size: parseSize(request.size, policy),
    ttl,
    allowRejoin: request.allowRejoin,
    ...(asked !== undefined && { askedTtl: ttl }),
    ...(request.description !== '' && { description: parseDescription(request.description) }),
  };
}

export function registerCommand(request: RegisterRequest): RegisterCommand {
  return {
    id: parseMemberId(request.memberId),
    name: parseMemberName(request.name),
    peerUrls: parsePeerUrls(request.peerUrls),
    mode: modeOf(request.mode),
    whenFull: whenFullOf(request.whenFull),
    ...(request.expectedModRevision !== undefined && { expected: revision(request.expectedModRevision) }),
  };
}

function modeOf(mode: RegisterMode): RegisterCommand['mode'] {
  switch (mode) {
    case RegisterMode.UNSPECIFIED:
    case RegisterMode.CREATE:
      return 'CREATE';
    case RegisterMode.REPLACE:
      return 'REPLACE';
    case RegisterMode.CREATE_OR_REPLACE:
      return 'CREATE_OR_REPLACE';
    default:
      throw unknownValue('mode', mode);
  }
}

function whenFullOf(whenFull: WhenFull): RegisterCommand['whenFull'] {
  switch (whenFull) {
    case WhenFull.UNSPECIFIED:
    case WhenFull.REFUSE:
      return 'REFUSE';
    case WhenFull.STANDBY:
      return 'STANDBY';
    default:
      throw unknownValue('when_full', whenFull);
  }
}

function unknownValue(field: string, value: number): DiscoveryError {
  return new DiscoveryError(
    'INVALID_ARGUMENT',
    `${field} has no value ${value}; see the API's documentation`,
    {
      field,
    },
  );
}
