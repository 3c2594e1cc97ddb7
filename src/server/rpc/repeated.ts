import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';

/** Messages that are kept, and the bytes of the longest: half a megabyte for each method. */
const KEPT = 512;
const KEPT_BYTES = 512;

/**
 * Returns a function that decodes messages, and the same bytes only once: nodes and dashboards repeat their
 * reads. Its messages are shared and must not be modified.
 */
export function repeatedDecoder<Desc extends DescMessage>(
  desc: Desc,
): (bytes: Uint8Array) => MessageShape<Desc> {
  const known = new Map<string, MessageShape<Desc>>();
  return (bytes) => {
    if (bytes.length > KEPT_BYTES) return fromBinary(desc, bytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    let message = known.get(text);
    if (message === undefined) {
      // From a copy, because fields of bytes are parts of what is decoded: here a whole read of the socket.
      // Without unknown fields, which can take a hundred times their bytes.
      message = fromBinary(desc, Uint8Array.from(bytes), { readUnknownFields: false });
      if (known.size >= KEPT) known.clear();
      known.set(text, message);
    }
    return message;
  };
}
