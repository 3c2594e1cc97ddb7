import { shellWord } from '../etcd/start/shell-word.ts';
import { quote } from '../values/quote.ts';
import { EXIT, Failure } from './exit.ts';
import type { CallReading, FlagSet, Values } from './flags.ts';
import { parseServerUrl, type ServerUrl, schemeFor } from './server-url.ts';
import { SERVICE_FLAGS } from './service-flags.ts';
import { parseTokenArgument } from './token.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Given = Extract<CallReading<FlagSet>, { type: 'CALL' }>['given'];

/** Which service a call is for, and which of its tokens. */
export interface Target {
  readonly server: string;
  /** Bare; empty where the command takes none. */
  readonly token: string;
  /** The token as it was given: another command finds the same with it. */
  readonly given: string;
  /** Flags by which another command reaches the service, each after a space, beside a token's URL: ` --cacert ca.pem`. */
  readonly tlsFlags: string;
  /** The same for a command that takes no token: ` --server URL --cacert ca.pem`. */
  readonly serverFlags: string;
  readonly tls: Readonly<Record<'cacert' | 'cert' | 'key', string | undefined>>;
  /** What was assumed, to be said. */
  readonly remark: string | undefined;
}

/** `argument`: the token or its URL; undefined for a command that takes none. */
export function targetOf(
  argument: string | undefined,
  values: Values<typeof SERVICE_FLAGS>,
  given: Given,
  env: Env,
): Target {
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
    // So that the next command asks the same service.
    given: isSaid && ofToken !== undefined ? `${server}/${token}` : (argument ?? ''),
    tlsFlags,
    serverFlags: (server === usual ? '' : ` --server ${shellWord(server)}`) + tlsFlags,
    remark: isWritten ? `note: no scheme was given; using ${server}` : undefined,
  };
}

const DEFAULT: ServerUrl = { url: SERVICE_FLAGS.server.default, isAssumed: false };

/** Refuses a token that is the URL of a service, and no more. */
export function requireToken(argument: string, values: Values<typeof SERVICE_FLAGS>): void {
  const isService = parseServerUrl(argument)?.url === values.server.url;
  if (!isService && parseTokenArgument(argument) !== undefined) return;
  const shown = quote(argument);
  if (!isService && !/^https?:\/\//i.test(argument)) {
    throw new Failure(EXIT.WRONG, `${shown} is not a token; a URL needs its scheme, http:// or https://`);
  }
  throw new Failure(
    EXIT.WRONG,
    `the URL has no token in it: ${shown}`,
    'append the token, as in http://localhost:8087/TOKEN',
  );
}

/**
 * The credentials to send, if there are any. Refuses to send them to a service that a token's URL alone has named, and
 * over the network in plaintext unless that was asked for.
 */
export function credentialsFor(
  target: Target,
  values: Values<typeof SERVICE_FLAGS>,
  env: Env,
): string | undefined {
  // Not a flag, as every user of the machine can read what a flag says.
  const credentials = env['DISC_CREDENTIALS'] || undefined;
  const { server, given, token, remark } = target;
  const isSecret = credentials !== undefined || token.includes(':');
  if (isSecret && remark !== undefined && server.startsWith('http:') && !isThisMachine(server)) {
    throw new Failure(
      EXIT.WRONG,
      'no scheme was given, and a secret is not sent over plaintext HTTP by assumption',
      `write the scheme: ${server.replace('http:', 'https:')} or ${server}`,
    );
  }
  if (credentials === undefined) return undefined;
  const hasTlsFiles = (values.cacert ?? values.cert) !== undefined;
  const configured = schemeFor(values.server, hasTlsFiles);
  if (server === configured) return credentials;
  throw new Failure(
    EXIT.WRONG,
    `DISC_CREDENTIALS are for ${configured} (--server, DISC_SERVER), and the URL of the token names ${server}: they were not sent`,
    `to send them to ${server} too, add --server ${shellWord(server)}; otherwise unset DISC_CREDENTIALS for ${shellWord(given)}`,
  );
}

/** Whether the URL means another machine on every machine. */
export function isThisMachine(server: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(server).hostname);
}
