/**
 * Characters that a header cannot contain: all but printable ASCII, the escape itself, and spaces at the
 * ends, which would be lost.
 */
const ESCAPED = /[^\x20-\x7e]|%|^ | $/gu;

/** Encodes a text for `grpc-message`, escaping only what gRPC's protocol requires. */
export function encodeGrpcMessage(text: string): string {
  return text.replace(ESCAPED, (character) => {
    let escaped = '';
    for (const byte of Buffer.from(character))
      escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return escaped;
  });
}
