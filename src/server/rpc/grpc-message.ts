/** What cannot stand in a header as it is: bytes but printable ASCII, the escape, and space where a header would lose it. */
const ESCAPED = /[^\x20-\x7e]|%|^ | $/gu;

/** A text as `grpc-message` has it: the escapes are for what needs them alone, as gRPC's protocol says. */
export function encodeGrpcMessage(text: string): string {
  return text.replace(ESCAPED, (character) => {
    let escaped = '';
    for (const byte of Buffer.from(character))
      escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return escaped;
  });
}
