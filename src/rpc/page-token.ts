import { crc32 } from 'node:zlib';
import { DiscoveryError } from '../discovery/errors.ts';
import type { Place } from '../discovery/newest.ts';
import { millis, type Token } from '../discovery/types.ts';

/** The first byte. With it a page token never starts with `-`, which command lines would parse as a flag. */
const FORMAT = 1;
const SUM_AT = 1;
const BODY_AT = SUM_AT + 4;
const FORM = /^(\d{1,16})\/([\w.~-]{1,128})$/;

/**
 * Returns the token that names the place after which the next page starts. It grants no access: only callers
 * that may list can use it. The checksum detects mistakes, such as continuing with other filters.
 */
export function pageTokenOf({ createTime, token }: Place, filters: string): string {
  const body = `${createTime}/${token}`;
  const bytes = Buffer.alloc(BODY_AT + body.length);
  bytes.writeUInt8(FORMAT);
  bytes.writeUInt32BE(sumOf(body, filters), SUM_AT);
  bytes.write(body, BODY_AT, 'latin1');
  return bytes.toString('base64url');
}

/**
 * Parses a page token. Undefined starts at the first page. Throws if the token was not returned for these
 * filters.
 */
export function parsePageToken(text: string, filters: string): Place | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.toString('latin1', BODY_AT);
  const [, time = '', token = ''] = FORM.exec(body) ?? [];
  const isOurs = token !== '' && bytes[0] === FORMAT && bytes.readUInt32BE(SUM_AT) === sumOf(body, filters);
  if (isOurs && bytes.toString('base64url') === text)
    return { createTime: millis(Number(time)), token: token as Token };
  throw new DiscoveryError(
    'INVALID_ARGUMENT',
    'page_token is not valid for these filters; start again without it',
    { field: 'page_token' },
  );
}

function sumOf(body: string, filters: string): number {
  return crc32(body, crc32(filters));
}
