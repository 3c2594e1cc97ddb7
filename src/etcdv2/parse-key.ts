import { quoted } from '../etcd/text.ts';
import { parseValue } from '../etcd/value.ts';
import { invalidField, notAllowed, TOKEN_GOOD, type V2Error, v2Error } from './errors.ts';
import { isError, type KeyParams, parseKeyParams, parseParams } from './params.ts';
import type { PathPlace } from './path.ts';
import type { Condition, RawRequest, ReadRequest, V2Request, WaitRequest, WriteRequest } from './request.ts';

const METHODS = 'HEAD,GET,PUT,DELETE';

type Key = Extract<PathPlace, { readonly token: string }>;

/** Parses a request for a token's keys. */
export function parseKeyRequest(raw: RawRequest, key: Key, query: string): V2Request | V2Error {
  const { method } = raw;
  const all = parseParams(query, raw.form);
  if (isError(all)) return all;
  const params = parseKeyParams(all, method);
  if ('type' in params) return params;
  switch (method) {
    case 'GET':
    case 'HEAD':
      return params.wait ? parseWait(key, params) : parseRead(key, params);
    case 'PUT':
      return parsePut(key, params, raw.otherBody);
    case 'DELETE':
      return parseDelete(key, params);
    default:
      return notAllowed(METHODS);
  }
}

function parseRead(key: Key, { sorted }: KeyParams): ReadRequest {
  const { token } = key;
  switch (key.type) {
    case 'TOKEN':
      return { type: 'LIST', token, sorted };
    case 'CONFIG':
      return { type: 'GET_CONFIG', token };
    case 'SIZE':
      return { type: 'GET_SIZE', token };
    case 'MEMBER':
      return { type: 'GET_MEMBER', token, id: key.id };
  }
}

function parseWait(key: Key, { recursive, waitIndex, stream }: KeyParams): WaitRequest | V2Error {
  const { token } = key;
  if (key.type === 'SIZE' || key.type === 'CONFIG') {
    return invalidField('the size of a cluster never changes, so there is nothing to wait for; omit wait');
  }
  const awaited = key.type === 'MEMBER' ? { id: key.id } : recursive ? 'ANY' : 'NONE';
  return { type: 'WAIT', token, awaited, waitIndex, stream };
}

function parsePut(key: Key, params: KeyParams, otherBody: boolean): WriteRequest | V2Error {
  const { token } = key;
  if (key.type === 'TOKEN' || key.type === 'CONFIG') {
    return { type: 'NOT_A_FILE', token, directory: key.type };
  }
  const { prevExist, prevIndex, prevValue, value } = params;
  if (params.dir) return invalidField('dir is not supported: a token is the only directory');
  const compares = prevIndex !== 0n || prevValue !== undefined;
  if (key.type === 'SIZE') {
    if (prevExist === true || compares) {
      return invalidField('the size of a cluster never changes; create a token for each cluster');
    }
    const size = parseSizeText(value ?? '');
    if (typeof size === 'string') {
      return invalidField(value === undefined && otherBody ? notAForm('value=3') : size);
    }
    return { type: 'MAKE_TOKEN', token, size, mustBeNew: prevExist === false };
  }
  if (prevExist === false && compares) {
    return invalidField('prevExist=false contradicts prevIndex and prevValue: a missing key has neither');
  }
  if (value === undefined && otherBody) return invalidField(notAForm('value=infra1=http://10.0.0.1:2380'));
  const member = parseValue(value ?? '');
  if (typeof member === 'string') return invalidField(`${member}; ${TOKEN_GOOD}`);
  const condition: Condition = compares
    ? { type: 'COMPARE', prevValue, prevIndex }
    : { type: prevExist === undefined ? 'SET' : prevExist ? 'UPDATE' : 'CREATE' };
  return { type: 'REGISTER', token, id: key.id, member, condition };
}

function parseDelete(key: Key, params: KeyParams): WriteRequest | V2Error {
  const { token } = key;
  if (params.prevIndex !== 0n || params.prevValue !== undefined) {
    return invalidField('DELETE with prevIndex or prevValue is not supported; delete without them');
  }
  switch (key.type) {
    case 'MEMBER':
      return { type: 'DEREGISTER', token, id: key.id };
    case 'TOKEN':
      if (params.recursive) return { type: 'DELETE_TOKEN', token };
      return { type: params.dir ? 'NOT_EMPTY' : 'NOT_A_FILE', token, directory: 'TOKEN' };
    case 'CONFIG':
    case 'SIZE':
      return v2Error(
        403,
        110,
        'the size cannot be deleted by itself; to delete the token use DELETE /{token}?recursive=true',
      );
  }
}

/** Parses a size. A string says what is wrong. The service checks the maximum. */
export function parseSizeText(text: string): number | string {
  if (!/^\d{1,9}$/.test(text))
    return `the cluster size must be a whole number of members, not ${quoted(text)}`;
  return Number(text);
}

/** Says how to send a body. */
function notAForm(example: string): string {
  return `the body must be application/x-www-form-urlencoded, as in curl -d ${example}`;
}
