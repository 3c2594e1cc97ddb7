/** Element is one element of DER: its tag, its contents, and its whole encoding. */
export interface Element {
  readonly tag: number;
  readonly body: Buffer;
  readonly whole: Buffer;
}

export const TAG = { INTEGER: 0x02, SEQUENCE: 0x30, UTC_TIME: 0x17, TIME: 0x18, VERSION: 0xa0 } as const;

/** Returns the consecutive elements of an encoding. Throws a RangeError if it is not DER. */
export function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes.readUInt8(at);
  const first = bytes.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4) throw new RangeError('a length that is invalid in DER');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  if (start + length > bytes.length) throw new RangeError('a truncated element');
  return { tag, body: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}
