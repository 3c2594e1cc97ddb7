/** Connect's messages about its own settings, and their meaning for a client. */
const WORDS: ReadonlyArray<readonly [theirs: RegExp, ours: string]> = [
  [
    /^message size (\d+) is larger than configured readMaxBytes (\d+)$/,
    'the message is too large: it has $1 bytes, and the limit is $2 bytes',
  ],
  [
    /^message size is larger than configured readMaxBytes (\d+)$/,
    'the message is too large: the limit is $1 bytes',
  ],
  [
    /^message is larger than configured readMaxBytes (\d+) after decompression$/,
    'the message is too large when decompressed: the limit is $1 bytes',
  ],
];

/** Returns an error message for a client that does not know what the service is built with. */
export function forClients(message: string): string {
  for (const [theirs, ours] of WORDS) {
    if (theirs.test(message)) return message.replace(theirs, ours);
  }
  return message;
}
