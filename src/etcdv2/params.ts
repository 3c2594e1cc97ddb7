import { quoted, UNPRINTABLE } from '../etcd/text.ts';
import { invalidField, SINCE_ETCD_2, type V2Error, v2Error } from './errors.ts';

/** Params are the parameters of a request by name. If one is repeated, the first counts. */
export type Params = ReadonlyMap<string, string>;

/**
 * Parses the parameters of the form and the query. The form takes precedence. Both are decoded once, as
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
  const isPlain = !ENCODED.test(text);
  for (let from = 0, end = 0; from < text.length; from = end + 1) {
    end = text.indexOf('&', from);
    if (end < 0) end = text.length;
    if (end === from) continue;
    const pair = text.slice(from, end);
    const equals = pair.indexOf('=');
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const rawValue = equals < 0 ? '' : pair.slice(equals + 1);
    const name = isPlain ? rawName : decode(rawName);
    const value = isPlain ? rawValue : decode(rawValue);
    if (name === undefined || value === undefined) {
      return v2Error(
        400,
        210,
        `${quoted(pair)} is not percent-encoded UTF-8 text without control characters`,
      );
    }
    if (!params.has(name)) params.set(name, value);
  }
  return undefined;
}

/** Matches a form or query that has to be decoded. */
const ENCODED = new RegExp(`[%+]|${UNPRINTABLE.source}`, 'u');

function decode(text: string): string | undefined {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** Decodes percent-encoding. Undefined if it is malformed, not UTF-8, or contains control characters. */
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

/** Parses a boolean as Go writes it. Undefined if it is not one. */
export function parseBoolean(text: string): boolean | undefined {
  return Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined;
}

/** A wait as etcd nodes write it. */
export const PLAIN_WAIT = /[?&]wait=true(?:&|$)/;
/** A query that does not match this does not ask for a wait. */
const MAYBE_WAIT = /(?:^|&)wait=|%/;

/** Whether a target asks to wait, in any spelling. Decided before the request is parsed. */
export function asksToWait(target: string): boolean {
  if (PLAIN_WAIT.test(target)) return true;
  const mark = target.indexOf('?');
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (!MAYBE_WAIT.test(query)) return false;
  const params = parseParams(query, '');
  return !isError(params) && parseBoolean(params.get('wait') ?? '') === true;
}

const MAX_UINT64 = 2n ** 64n - 1n;

/** Parses an unsigned 64-bit decimal number. Undefined if it is not one. */
export function parseUint64(text: string): bigint | undefined {
  if (!/^\d{1,40}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_UINT64 ? value : undefined;
}

/** KeyParams are the parsed parameters of the v2 keys API. */
export interface KeyParams {
  readonly recursive: boolean;
  readonly sorted: boolean;
  readonly wait: boolean;
  readonly dir: boolean;
  readonly stream: boolean;
  /** 0: none. */
  readonly waitIndex: bigint;
  /** 0: none. */
  readonly prevIndex: bigint;
  readonly prevValue: string | undefined;
  readonly prevExist: boolean | undefined;
  readonly value: string | undefined;
}

/** Parses the parameters of a keys request, and rejects those that have no meaning for discovery. */
export function parseKeyParams(params: Params, method: string): KeyParams | V2Error {
  const parsed = {
    recursive: false,
    sorted: false,
    wait: false,
    dir: false,
    stream: false,
    waitIndex: 0n,
    prevIndex: 0n,
    prevValue: params.get('prevValue'),
    prevExist: undefined as boolean | undefined,
    value: params.get('value'),
  };
  for (const [name, text] of params) {
    switch (name) {
      case 'waitIndex':
      case 'prevIndex': {
        const index = parseUint64(text);
        if (index === undefined) return v2Error(400, 203, `invalid value for "${name}"`);
        parsed[name] = index;
        break;
      }
      case 'recursive':
      case 'sorted':
      case 'wait':
      case 'dir':
      case 'stream':
      case 'quorum': {
        const flag = parseBoolean(text);
        if (flag === undefined) return invalidField(`invalid value for "${name}"`);
        // A quorum read needs nothing extra: every read sees every acknowledged write.
        if (name !== 'quorum') parsed[name] = flag;
        break;
      }
      case 'prevExist':
        parsed.prevExist = parseBoolean(text);
        if (parsed.prevExist === undefined) return invalidField(`invalid value for ${name}`);
        break;
      case 'prevValue':
        if (text === '') return v2Error(400, 201, '"prevValue" cannot be empty');
        break;
      case 'ttl':
        if (text !== '')
          return invalidField(
            `ttl is not supported: ${LIFETIME}; if etcd sent it, this is etcd 0.4: ${SINCE_ETCD_2}`,
          );
        break;
      case 'refresh':
      case 'noValueOnSuccess': {
        const flag = parseBoolean(text);
        if (flag === undefined) return invalidField(`invalid value for ${name}`);
        if (flag) return invalidField(`${name} is not supported by this discovery service; omit it`);
        break;
      }
    }
  }
  if (parsed.wait && method !== 'GET') return invalidField('"wait" can only be used with GET requests');
  return parsed;
}

const LIFETIME = 'a member stays until its token ends';
