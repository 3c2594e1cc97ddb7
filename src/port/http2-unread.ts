import { constants, type ServerHttp2Stream } from 'node:http2';

/** Drops the rest of a body whose response is complete: nobody reads it, and it would hold the stream open. */
export function endUnread(stream: ServerHttp2Stream): void {
  stream.removeAllListeners('data').resume();
  if (stream.endAfterHeaders || stream.readableEnded) return;
  // Node sends trailers one turn later and writes in the turn after that. Anything slower is left to the sweep.
  setImmediate(() => setImmediate(() => endOpen(stream)));
}

/** Ends a stream whose complete response was sent and whose client has not ended its side (RFC 9113, 8.1). */
export function endOpen(stream: ServerHttp2Stream): void {
  if (stream.destroyed || !stream.writableFinished) return;
  const { localClose, remoteClose } = stream.state;
  if (localClose === 1 && remoteClose !== 1) stream.close(constants.NGHTTP2_NO_ERROR);
}
