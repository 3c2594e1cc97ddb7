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
import { type Caller, hashSecret } from '../discovery/access.ts';
import type { RegisterCommand } from '../discovery/decide.ts';
import type { CreateCommand } from '../discovery/decide-create.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { DiscoveryError } from '../discovery/errors.ts';
import { type Issuer, RANDOM_ISSUER, repeatingIssuer } from '../discovery/issuer.ts';
import {
  parseChosenToken,
  parseDescription,
  parseDiscoveryText,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseRequestId,
  parseSize,
  parseTtl,
} from '../discovery/parse.ts';
import type { Policy } from '../discovery/policy.ts';
import {
  ACCESSES,
  type Access,
  type CallerName,
  type Locks,
  revision,
  type Ttl,
} from '../discovery/types.ts';
import { type ResolveCaller, splitSecret } from './caller.ts';

// Converts requests to the core's commands. This is the only place where their fields are parsed.

/** Returns the command for a new token, its caller, and the secrets to return if it is created. */
export function createRequest(
  request: CreateTokenRequest,
  { policy, key }: Pick<Discovery, 'policy' | 'key'>,
  resolveCaller: ResolveCaller,
): { command: CreateCommand; caller: Caller; secrets: TokenSecret[] } {
  const { token: chosen, secret } = splitSecret(request.token);
  const caller = resolveCaller(secret);
  const asked = request.ttl === undefined ? undefined : durationMs(request.ttl);
  const ttl = parseTtl(asked, policy);
  const issuer = request.requestId === '' ? undefined : issuerOf(request, caller, key);
  const secrets = [...new Set(request.guard)].map(accessOf).map((access) => ({
    access,
    secret: (issuer ?? RANDOM_ISSUER).secret(access),
  }));
  const locks: Locks = Object.fromEntries(secrets.map(({ access, secret }) => [access, hashSecret(secret)]));
  const command: CreateCommand = {
    token: chosen === '' ? (issuer ?? RANDOM_ISSUER).token() : parseChosenToken(chosen, policy),
    size: parseSize(request.size, policy),
    ttl,
    allowRejoin: request.allowRejoin,
    ...(asked !== undefined && { askedTtl: ttl }),
    ...(request.description !== '' && { description: parseDescription(request.description) }),
    ...(secrets.length > 0 && { locks }),
    ...(issuer !== undefined && chosen === '' && { repeats: 'TOKEN' }),
    ...(issuer !== undefined && chosen !== '' && secrets.length > 0 && { repeats: 'LOCKS' }),
    ...(caller.name !== undefined && { creator: caller.name as CallerName }),
  };
  const messages = secrets.map(({ access, secret }) =>
    create(TokenSecretSchema, { access: AccessMessage[access], secret }),
  );
  return { command, caller, secrets: messages };
}

/** Derives from the whole request and its caller, so that no caller receives what was created for another. */
function issuerOf(request: CreateTokenRequest, { name, proof }: Caller, key: Uint8Array): Issuer {
  const requestId = parseRequestId(request.requestId);
  const { size, token, description, ttl, allowRejoin, guard } = request;
  const ttlMs = ttl && durationMs(ttl);
  const guarded = [...new Set(guard)].sort((a, b) => a - b);
  return repeatingIssuer(key, [
    requestId,
    { name, proof },
    { size, token, description, ttlMs, allowRejoin, guarded },
  ]);
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
  return new DiscoveryError('INVALID_ARGUMENT', `unknown value ${value} for field ${field}`, {
    field,
  });
}
