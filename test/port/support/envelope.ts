/** Returns an enveloped message of gRPC and Connect with the given length field. */
export function envelope(flags: number, length: number, message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

/** CreateTokenRequest with size = 3. */
export const SIZE_3 = Buffer.from([8, 3]);
