/** A charset that is what protobuf's JSON is in, or a part of it, quoted or not. */
const UTF_8 = /^\s*charset\s*=\s*"?(?:utf-?8|us-ascii)"?\s*$/i;
const CHARSET = /^\s*charset\s*=/i;

/**
 * A media type as Connect knows it: without parameters. They say nothing of a message, but for a charset: with another
 * one than UTF-8 the type of a text is left as it is, which is none that is served.
 */
export function mediaTypeOf(contentType: string): string {
  const [type = '', ...parameters] = contentType.split(';');
  const bare = type.trim();
  if (parameters.length === 0 || bare.toLowerCase().startsWith('application/grpc')) return bare;
  const foreign = parameters.some((each) => CHARSET.test(each) && !UTF_8.test(each));
  return foreign ? contentType : bare;
}
