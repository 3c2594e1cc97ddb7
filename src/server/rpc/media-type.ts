/** A charset parameter compatible with protobuf's JSON, quoted or not. */
const UTF_8 = /^\s*charset\s*=\s*"?(?:utf-?8|us-ascii)"?\s*$/i;
const CHARSET = /^\s*charset\s*=/i;

/**
 * Returns a media type without parameters, as Connect knows it. They do not affect a message, except for a
 * charset: a text type with a charset other than UTF-8 is returned unchanged, which is not a supported type.
 */
export function mediaTypeOf(contentType: string): string {
  const [type = '', ...parameters] = contentType.split(';');
  const bare = type.trim();
  if (parameters.length === 0 || bare.toLowerCase().startsWith('application/grpc')) return bare;
  const foreign = parameters.some((each) => CHARSET.test(each) && !UTF_8.test(each));
  return foreign ? contentType : bare;
}
