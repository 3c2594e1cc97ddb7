import type { Client } from '@connectrpc/connect';
import type { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import type { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import type { OperatorClient } from '../../client/operator-client.ts';
import { fromJson, toJson } from './json.ts';
import { post, type ServiceAccess, UnexpectedAnswer } from './post.ts';
import { METHODS, type Method } from './tables.ts';

/** UnaryClient makes the calls of all services at a URL, except the streams. */
export type UnaryClient = Omit<Client<typeof DiscoveryService>, 'watchMembers'> &
  OperatorClient &
  Pick<Client<typeof Health>, 'check'>;

/** A restart takes a second or two; users with a wrong URL should not wait much longer. */
const RETRY_FOR_MS = 3000;
const TRY_TIMEOUT_MS = 5000;

/** Too many random bytes to be guessed. */
const REQUEST_ID_BYTES = 18;

/**
 * Returns a client that speaks JSON, by the tables of the API: the schema and Connect's runtime take several times as
 * long to load as Node.js. They are loaded for a call that fails, to retry it and to tell why it failed. `refine`
 * changes each response.
 */
export function unaryClient(access: ServiceAccess, refine: (message: object) => object): UnaryClient {
  const calls = Object.entries(METHODS).map(([name, method]) => [
    name,
    async (request: object) => refine(await call(access, name, method, request)),
  ]);
  return Object.fromEntries(calls) as UnaryClient;
}

async function call(access: ServiceAccess, name: string, method: Method, request: object): Promise<object> {
  const message = { ...request, ...ownFields(name), $typeName: method.request };
  const body = JSON.stringify(toJson(method.request, message));
  const attempt = async (signal: AbortSignal): Promise<object> => {
    const answer = await post(access, method.path, body, signal);
    const isMessage =
      answer.status === 200 && /^application\/json\b/i.test(answer.headers['content-type'] ?? '');
    if (!isMessage) throw new UnexpectedAnswer(answer);
    return fromJson(method.response, JSON.parse(answer.body));
  };
  const began = process.uptime();
  try {
    return await attempt(AbortSignal.timeout(TRY_TIMEOUT_MS));
  } catch (thrown) {
    const retryForMs = RETRY_FOR_MS - (process.uptime() - began) * 1000;
    const { recover } = await import('./recover.ts');
    return recover({ name, message, attempt }, thrown, { retryForMs, tryTimeoutMs: TRY_TIMEOUT_MS });
  }
}

/** The ID by which the service recognises a repetition of a call that creates a token. */
function ownFields(name: string): object {
  if (name !== 'createToken') return {};
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  return { requestId: randomBytes(REQUEST_ID_BYTES).toString('base64url') };
}
