import { shellWord } from '../etcd/start/shell-word.ts';
import { quote } from '../values/quote.ts';
import { EXIT, Failure } from './exit.ts';
import type { CallReading, FlagSet, Values } from './flags.ts';
import { parseServerUrl, type ServerUrl, schemeFor } from './server-url.ts';
import { SERVICE_FLAGS } from './service-flags.ts';
import { parseTokenArgument } from './token.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Given = Extract<CallReading<FlagSet>, { type: 'CALL' }>['given'];

/** CallTarget is the service and the token of a call. */
export interface CallTarget {
  readonly server: string;
  /** The token without URL. Empty if the command takes none. */
  readonly token: string;
  /** The token as it was given: other commands accept the same text. */
  readonly given: string;
  /** Flags that another command needs next to a token's URL, each after a space: ` --cacert ca.pem`. */
  readonly tlsFlags: string;
  /** The flags for a command without a token: ` --server URL --cacert ca.pem`. */
  readonly serverFlags: string;
  readonly tls: Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;
  /** An assumption that was made, to be printed. */
  readonly remark: string | undefined;
}

/** Resolves the target. `argument` is the token or its URL, or undefined for a command without one. */
export function targetOf(
  argument: string | undefined,
  values: Values<typeof SERVICE_FLAGS>,
  given: Given,
  env: Env,
): CallTarget {
  const hasTlsFiles = (values.cacert ?? values.cert) !== undefined;
  const configured = schemeFor(values.server, hasTlsFiles);
  const isSaid = given.has(SERVICE_FLAGS.server.flag);
  const ofToken = argument === undefined ? undefined : parseTokenArgument(argument);
  const named = isSaid ? undefined : ofToken?.server;
  const server = named === undefined ? configured : schemeFor(named, hasTlsFiles);
  const token = ofToken?.token ?? '';
  const tlsFlags = (['cacert', 'cert', 'key'] as const)
    .filter((key) => given.has(key) && values[key] !== undefined)
    .map((key) => ` --${key} ${shellWord(values[key] ?? '')}`)
    .join('');
  const usual = schemeFor(parseServerUrl(env['DISC_SERVER'] ?? '') ?? DEFAULT, hasTlsFiles);
  const isWritten = (named ?? values.server).isAssumed;
  return {
    server,
    token,
    tls: { cacert: values.cacert, cert: values.cert, key: values.key },
    // So that the next command calls the same service.
    given: isSaid && ofToken !== undefined ? `${server}/${token}` : (argument ?? ''),
    tlsFlags,
    serverFlags: (server === usual ? '' : ` --server ${shellWord(server)}`) + tlsFlags,
    remark: isWritten ? `note: no scheme was given; using ${server}` : undefined,
  };
}

const DEFAULT: ServerUrl = { url: SERVICE_FLAGS.server.default, isAssumed: false };

/** Rejects a token that is only the URL of a service. */
export function requireToken(argument: string, values: Values<typeof SERVICE_FLAGS>): void {
  const isService = parseServerUrl(argument)?.url === values.server.url;
  if (!isService && parseTokenArgument(argument) !== undefined) return;
  const shown = quote(argument);
  if (!isService && !/^https?:\/\//i.test(argument)) {
    throw new Failure(EXIT.WRONG, `${shown} is not a valid token; a URL must start with http:// or https://`);
  }
  throw new Failure(
    EXIT.WRONG,
    `the URL has no token: ${shown}`,
    'append the token, as in http://localhost:8087/TOKEN',
  );
}

/**
 * Returns the credentials to send, if there are any. Refuses to send them to a service that only a token's
 * URL names, and to send them over the network in plaintext unless that was requested.
 */
export function credentialsFor(
  target: CallTarget,
  values: Values<typeof SERVICE_FLAGS>,
  env: Env,
): string | undefined {
  // Not a flag, because flags are visible to every user of the machine.
  const credentials = env['DISC_CREDENTIALS'] || undefined;
  const { server, given, token, remark } = target;
  const isSecret = credentials !== undefined || token.includes(':');
  if (isSecret && remark !== undefined && server.startsWith('http:') && !isThisMachine(server)) {
    throw new Failure(
      EXIT.WRONG,
      'the URL has no scheme, and secrets are sent over plaintext HTTP only if the URL says http://',
      `write the scheme: ${server.replace('http:', 'https:')} or ${server}`,
    );
  }
  if (credentials === undefined) return undefined;
  const hasTlsFiles = (values.cacert ?? values.cert) !== undefined;
  const configured = schemeFor(values.server, hasTlsFiles);
  if (server === configured) return credentials;
  throw new Failure(
    EXIT.WRONG,
    `DISC_CREDENTIALS were not sent: they are for ${configured} (--server, DISC_SERVER), but the URL of the token names ${server}`,
    `to send them to ${server} too, add --server ${shellWord(server)}; otherwise unset DISC_CREDENTIALS for ${shellWord(given)}`,
  );
}

/** Whether the URL refers to the local machine on every machine. */
export function isThisMachine(server: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(server).hostname);
}
