/** What Connect says of its own settings, and what it means to a client. */
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

/** The words of an error, for a client that knows nothing of what the service is made of. */
export function forClients(message: string): string {
  for (const [theirs, ours] of WORDS) {
    if (theirs.test(message)) return message.replace(theirs, ours);
  }
  return message;
}
