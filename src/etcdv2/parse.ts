import { notAllowed, type V2Error } from './errors.ts';
import { parseKeyRequest } from './parse-key.ts';
import { parseNew } from './parse-new.ts';
import { locate } from './path.ts';
import type { RawRequest, V2Request } from './request.ts';

/** Parses a request. Pure, and never throws. */
export function parseRequest(raw: RawRequest): V2Request | V2Error {
  // An absolute-form target names the service itself: it is not a proxy.
  const { target: whole } = raw;
  const target = whole.startsWith('/') ? whole : whole.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const place = locate(path);
  switch (place.type) {
    case 'ERROR':
      return place;
    case 'MOVED':
      return { type: 'MOVED', location: mark < 0 ? place.path : `${place.path}?${encodeQuery(query)}` };
    case 'VERSION':
      return ['GET', 'HEAD'].includes(raw.method) ? { type: 'VERSION' } : notAllowed('GET,HEAD');
    case 'NEW':
      return parseNew(raw, query);
    case 'TOKEN':
    case 'CONFIG':
    case 'SIZE':
    case 'MEMBER':
      return parseKeyRequest(raw, place, query);
  }
}

/** Encodes only the characters of a query that a URL cannot contain, for use in a header. */
function encodeQuery(query: string): string {
  return query.replace(/[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]/gu, (character) =>
    encodeURIComponent(/\p{Cs}/u.test(character) ? '\ufffd' : character),
  );
}
