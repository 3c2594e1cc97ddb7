import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Http2Call } from '../../port/port.ts';
import { FrameSplitter } from './grpc-frames.ts';
import { gone } from './rpc-call.ts';

/** Parse converts the bytes of a message. Throws the error for its client. */
type Parse = (bytes: Uint8Array) => MessageShape<DescMessage>;

/**
 * Yields the messages of a body as they arrive. Throws if it is not a sequence of readable messages, and gone() if
 * the client breaks it off. One generator for all of this, because thousands of watches each hold one.
 */
export async function* messagesOf(
  call: Http2Call,
  readMaxBytes: number,
  parse: Parse,
): AsyncGenerator<MessageShape<DescMessage>> {
  const { stream } = call;
  const frames = new FrameSplitter(readMaxBytes);
  let wake = (): void => {};
  const onNews = (): void => wake();
  stream.on('readable', onNews).on('end', onNews);
  call.onClose(onNews);
  try {
    for (;;) {
      // Of a stream that is over, what was not read is lost.
      const chunk = stream.destroyed ? null : (stream.read() as Buffer | null);
      if (chunk !== null) {
        frames.add(chunk);
        for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) yield parse(bytes);
      } else if (stream.readableEnded) break;
      else if (stream.destroyed) throw gone();
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stream.off('readable', onNews).off('end', onNews);
  }
  if (frames.hasRest) throw new ConnectError('protocol error: incomplete envelope', Code.InvalidArgument);
}
