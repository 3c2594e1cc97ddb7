import { quoted } from '../etcd/text.ts';
import { invalidField, notAllowed, type V2Error } from './errors.ts';
import { isError, parseParams } from './params.ts';
import { parseSizeText } from './parse-key.ts';
import type { NewRequest, RawRequest } from './request.ts';

/** Whether a target is that of /new, whose body is read whatever its type. */
export function asksForNew(target: string): boolean {
  return /^(?:https?:\/\/[^/?#]*)?\/new\/?(?:\?|$)/i.test(target);
}

/**
 * Parses a request for a new token. Parameters other than `size` are rejected: a misspelled one would create
 * a cluster of three, and its size cannot be changed.
 */
export function parseNew(raw: RawRequest, query: string): NewRequest | V2Error {
  if (!['GET', 'PUT', 'POST'].includes(raw.method)) return { ...notAllowed('GET,PUT,POST'), plain: true };
  const body = raw.otherText ?? raw.form;
  // curl -d sends JSON as a form unless a type is given.
  const json = body.trimStart().startsWith('{') ? parseJson(body) : undefined;
  if (typeof json === 'string') return refuse(json);
  const params = parseParams(query, json === undefined ? raw.form : '');
  if (isError(params)) return { ...params, plain: true };
  for (const [name, text] of params) {
    if (name !== 'size') return refuse(unknown(text === '' ? name : `${name}=${text}`));
  }
  const text = json?.size ?? params.get('size');
  if (text === undefined) {
    const isOther = json === undefined && raw.otherBody && body !== '';
    return isOther
      ? refuse(`the body ${quoted(body)} is not a form or JSON; ${LIKE}`)
      : { type: 'NEW', size: 3 };
  }
  const size = parseSizeText(text);
  return typeof size === 'string' ? refuse(`${size}; for example /new?size=3`) : { type: 'NEW', size };
}

const LIKE = 'send size=3 or {"size":3}, or use /new?size=3';

function unknown(sent: string): string {
  return `/new does not accept ${quoted(sent)}; it accepts only size, as in /new?size=3`;
}

/** Returns the size in a JSON body as text. A string says what is wrong. */
function parseJson(body: string): { readonly size?: string } | string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return `the body ${quoted(body)} is not valid JSON; ${LIKE}`;
  }
  for (const [name, value] of Object.entries(fields)) {
    if (name !== 'size') return unknown(JSON.stringify({ [name]: value }));
  }
  if (!Object.hasOwn(fields, 'size')) return {};
  const { size } = fields;
  return { size: typeof size === 'string' ? size : JSON.stringify(size) };
}

function refuse(cause: string): V2Error {
  return { ...invalidField(cause), plain: true };
}
