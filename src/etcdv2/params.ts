import { invalidField, quote, UNPRINTABLE, type V2Error, v2Error } from './errors.ts';

/** The parameters of a request by name; of those given twice, the first. */
export type Params = ReadonlyMap<string, string>;

/**
 * The form's and the query's parameters, a form's before a query's of the same name. Both are decoded once, as
 * application/x-www-form-urlencoded.
 */
export function parseParams(query: string, form: string): Params | V2Error {
  const params = new Map<string, string>();
  return addAll(params, form) ?? addAll(params, query) ?? params;
}

export function isError(params: Params | V2Error): params is V2Error {
  return 'type' in params;
}

function addAll(params: Map<string, string>, text: string): V2Error | undefined {
  if (text === '') return undefined;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) {
      return v2Error(400, 210, `${quote(pair)} is not percent-encoded UTF-8 text without control characters`);
    }
    if (!params.has(name)) params.set(name, value);
  }
  return undefined;
}

function decode(text: string): string | undefined {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** The text behind percent-encoding; undefined when that is broken, not UTF-8, or hides control characters. */
export function decodePercent(text: string): string | undefined {
  let decoded = text;
  if (text.includes('%')) {
    try {
      decoded = decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
  return UNPRINTABLE.test(decoded) ? undefined : decoded;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false])),
};

/** A boolean as Go writes it; undefined when it is none. */
export function parseBoolean(text: string): boolean | undefined {
  return Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
}

const MAX_UINT64 = 2n ** 64n - 1n;

/** An unsigned 64-bit number in decimal digits; undefined when it is none. */
export function parseUint64(text: string): bigint | undefined {
  if (!/^\d{1,40}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_UINT64 ? value : undefined;
}

const BOOLEAN_NAMES = ['recursive', 'sorted', 'wait', 'dir', 'quorum', 'stream'] as const;

/** The parameters of the v2 keys API, parsed. */
export interface KeyParams {
  readonly recursive: boolean;
  readonly sorted: boolean;
  readonly wait: boolean;
  readonly dir: boolean;
  /** Nothing to do: every read sees every acknowledged write. */
  readonly quorum: boolean;
  readonly stream: boolean;
  /** 0 is none. */
  readonly waitIndex: bigint;
  /** 0 is none. */
  readonly prevIndex: bigint;
  readonly prevValue: string | undefined;
  readonly prevExist: boolean | undefined;
  readonly value: string | undefined;
}

/** Parses the parameters of a keys request, and refuses those that a discovery service has no use for. */
export function parseKeyParams(params: Params, method: string): KeyParams | V2Error {
  const prevIndex = parseUint64(params.get('prevIndex') ?? '0');
  if (prevIndex === undefined) return notANumber('prevIndex');
  const waitIndex = parseUint64(params.get('waitIndex') ?? '0');
  if (waitIndex === undefined) return notANumber('waitIndex');

  const flags = { recursive: false, sorted: false, wait: false, dir: false, quorum: false, stream: false };
  for (const name of BOOLEAN_NAMES) {
    const flag = parseBoolean(params.get(name) ?? 'false');
    if (flag === undefined) return invalidField(`invalid value for "${name}"`);
    flags[name] = flag;
  }
  if (flags.wait && method !== 'GET') return invalidField('"wait" can only be used with GET requests');

  const prevValue = params.get('prevValue');
  if (prevValue === '') return v2Error(400, 201, '"prevValue" cannot be empty');

  const existText = params.get('prevExist');
  const prevExist = existText === undefined ? undefined : parseBoolean(existText);
  if (existText !== undefined && prevExist === undefined) {
    return invalidField('invalid value for prevExist');
  }

  return (
    unsupported(params) ?? {
      ...flags,
      waitIndex,
      prevIndex,
      prevValue,
      prevExist,
      value: params.get('value'),
    }
  );
}

function notANumber(name: string): V2Error {
  return v2Error(400, 203, `invalid value for "${name}"`);
}

function unsupported(params: Params): V2Error | undefined {
  const ttl = params.get('ttl');
  if (ttl !== undefined && ttl !== '') {
    return invalidField(
      'ttl is not supported: a member stays as long as its token, which has a lifetime of its own',
    );
  }
  for (const name of ['refresh', 'noValueOnSuccess']) {
    const flag = parseBoolean(params.get(name) ?? 'false');
    if (flag === undefined) return invalidField(`invalid value for ${name}`);
    if (flag) return invalidField(`${name} is not supported by this discovery service; leave it out`);
  }
  return undefined;
}
