import type { DescMessage, MessageShape } from '@bufbuild/protobuf';

/** Decode returns the message that bytes contain, or throws. */
export type Decode = (bytes: Uint8Array) => MessageShape<DescMessage>;

/** Messages that are kept, and the bytes of the longest: half a megabyte for each method. */
const KEPT = 512;
const KEPT_BYTES = 512;

/**
 * Returns a function that decodes messages, and the same bytes only once: nodes and dashboards repeat their
 * reads. Its messages are shared and must not be modified.
 */
export function repeatedly(decode: Decode): Decode {
  const known = new Map<string, MessageShape<DescMessage>>();
  return (bytes) => {
    if (bytes.length > KEPT_BYTES) return decode(bytes);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    let message = known.get(text);
    if (message === undefined) {
      // From a copy, because fields of bytes are parts of what is decoded: here a whole read of the socket.
      message = decode(Uint8Array.from(bytes));
      if (known.size >= KEPT) known.clear();
      known.set(text, message);
    }
    return message;
  };
}
