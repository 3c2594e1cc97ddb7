import { create } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Access as AccessMessage } from '../../gen/discovery/v1/cluster_pb.ts';
import {
  type CreateTokenRequest,
  RegisterMode,
  type RegisterRequest,
  type ReopenTokenRequest,
  type TokenSecret,
  TokenSecretSchema,
  WhenFull,
} from '../../gen/discovery/v1/service_pb.ts';
import { type Caller, hashSecret, issueSecret } from '../discovery/access.ts';
import type { CreateCommand, RegisterCommand } from '../discovery/decide.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import { issueToken } from '../discovery/issue-token.ts';
import {
  parseChosenToken,
  parseDescription,
  parseDiscoveryText,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseSize,
  parseTtl,
} from '../discovery/parse.ts';
import type { Policy } from '../discovery/policy.ts';
import { ACCESSES, type Access, type Locks, revision, type Ttl } from '../discovery/types.ts';
import { type ResolveCaller, splitSecret } from './caller.ts';

// Requests as the core's commands: the one place where their fields are parsed.

/** The token to make, by whom, and the secrets to tell of if it is made. */
export function createRequest(
  request: CreateTokenRequest,
  policy: Policy,
  resolveCaller: ResolveCaller,
): { command: CreateCommand; caller: Caller; secrets: TokenSecret[] } {
  const { token: chosen, secret } = splitSecret(request.token);
  const caller = resolveCaller(secret);
  const asked = request.ttl === undefined ? undefined : durationMs(request.ttl);
  const ttl = parseTtl(asked, policy);
  const secrets = [...new Set(request.guard)].map((access) => ({
    access: accessOf(access),
    secret: issueSecret(),
  }));
  const locks: Locks = Object.fromEntries(secrets.map(({ access, secret }) => [access, hashSecret(secret)]));
  const command: CreateCommand = {
    token: chosen === '' ? issueToken() : parseChosenToken(chosen, policy),
    size: parseSize(request.size, policy),
    ttl,
    allowRejoin: request.allowRejoin,
    ...(asked !== undefined && { askedTtl: ttl }),
    ...(request.description !== '' && { description: parseDescription(request.description) }),
    ...(secrets.length > 0 && { locks }),
  };
  const messages = secrets.map(({ access, secret }) =>
    create(TokenSecretSchema, { access: AccessMessage[access], secret }),
  );
  return { command, caller, secrets: messages };
}

export function reopenTtl({ ttl }: ReopenTokenRequest, policy: Policy): Ttl {
  return parseTtl(ttl === undefined ? undefined : durationMs(ttl), policy);
}

function accessOf(access: AccessMessage): Access {
  const name = ACCESSES.find((each) => AccessMessage[each] === access);
  if (name === undefined) throw unknownValue('guard', access);
  return name;
}

export function registerCommand(request: RegisterRequest): RegisterCommand {
  return {
    id: parseMemberId(request.memberId),
    name: parseMemberName(request.name),
    peerUrls: parsePeerUrls(request.peerUrls),
    mode: modeOf(request.mode),
    whenFull: whenFullOf(request.whenFull),
    ...(request.discoveryText !== '' && { discoveryText: parseDiscoveryText(request.discoveryText) }),
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
