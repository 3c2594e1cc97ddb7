/** One element of DER: what its tag says it is, what is in it, and all of its bytes. */
export interface Element {
  readonly tag: number;
  readonly body: Buffer;
  readonly whole: Buffer;
}

export const TAG = { INTEGER: 0x02, SEQUENCE: 0x30, UTC_TIME: 0x17, TIME: 0x18, VERSION: 0xa0 } as const;

/** The elements that lie one behind the other in some bytes. Throws a RangeError for what is no DER. */
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
  if (first === 0x80 || lengthBytes > 4) throw new RangeError('a length that DER does not have');
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  if (start + length > bytes.length) throw new RangeError('an element that is cut off');
  return { tag, body: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}
