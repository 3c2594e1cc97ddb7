import type { Client } from '@connectrpc/connect';
import type { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import type { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import type { OperatorClient } from '../../client/operator-client.ts';
import { randomBytes } from '../../values/random.ts';
import { ask } from './ask.ts';
import { fromJson, toJson } from './json.ts';
import { type Answer, isJson, post, type ServiceAccess } from './post.ts';
import { METHODS, type Method } from './tables.ts';

/** UnaryClient makes the calls of all services at a URL, except the streams. */
export type UnaryClient = Omit<Client<typeof DiscoveryService>, 'watchMembers'> &
  OperatorClient &
  Pick<Client<typeof Health>, 'check'>;

/** A restart takes a second or two; users with a wrong URL should not wait much longer. */
const RETRY_FOR_MS = 3000;
const TRY_TIMEOUT_MS = 5000;

/** The calls whose repetition could have another outcome: `ask` may send a request twice. */
const ONCE: ReadonlySet<string> = new Set(['deregister']);

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
  const attempt = (signal: AbortSignal) => post(access, method.path, body, signal);
  const read = ({ status, type, body: json }: Answer) =>
    status === 200 && isJson(type) ? fromJson(method.response, JSON.parse(json)) : undefined;
  const began = process.uptime();
  const left = (ms: number): number => Math.max(0, Math.ceil(ms - (process.uptime() - began) * 1000));
  const firstAttempt = async (): Promise<Answer> => {
    const answer = ONCE.has(name) ? undefined : await ask(access, method.path, body, TRY_TIMEOUT_MS);
    return answer ?? attempt(AbortSignal.timeout(left(TRY_TIMEOUT_MS)));
  };
  const first = firstAttempt();
  try {
    const response = read(await first);
    if (response !== undefined) return response;
  } catch {
    // The reason is found below.
  }
  const { recover } = await import('./recover.ts');
  const limits = { retryForMs: left(RETRY_FOR_MS), tryTimeoutMs: TRY_TIMEOUT_MS };
  return recover({ name, message, first, attempt, read }, limits);
}

/** The ID by which the service recognises a repetition of a call that creates a token. */
function ownFields(name: string): object {
  if (name !== 'createToken') return {};
  return { requestId: randomBytes(REQUEST_ID_BYTES).toString('base64url') };
}
