// Reason: ending an HTTP/2 connection or resetting a stream makes node:http2 send its pending bytes. Inside
// an event that nghttp2 delivers, nghttp2 does not tolerate this: it loops forever, or Node.js aborts. Any
// code in such an event, or in a promise that it resolves, can cause it: ours, Connect's and that of
// node:http2 itself. Remove when node:http2 defers it by itself (test: http2Session.destroy() in a 'close' of
// a stream that its peer has reset).

import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/** Makes every end of the connection happen in a separate turn of the event loop. */
export function endLater(session: ServerHttp2Session): void {
  session.destroy = destroySessionLater;
}

/**
 * Returns the function that makes every reset of a stream happen in a separate turn of the event loop.
 * `onAborted` is called for each stream that is reset before its response ended: at once, because the streams
 * of one read may be thousands.
 */
export function resetsLater(
  onAborted: (stream: ServerHttp2Stream) => void,
): (stream: ServerHttp2Stream) => void {
  function destroyLater<Stream extends ServerHttp2Stream>(this: Stream, error?: Error): Stream {
    if (this.aborted) onAborted(this);
    const plain = Object.getPrototypeOf(this) as Stream;
    // A closed stream, such as one that ended normally, sends nothing, and its connection ends in a separate
    // turn.
    if (this.closed || this.session?.destroyed !== false) plain.destroy.call(this, error);
    else setImmediate(() => plain.destroy.call(this, error));
    return this;
  }
  return (stream) => {
    stream.close = closeLater;
    stream.destroy = destroyLater;
  };
}

function destroySessionLater(
  this: ServerHttp2Session,
  ...how: Parameters<ServerHttp2Session['destroy']>
): void {
  const plain = Object.getPrototypeOf(this) as ServerHttp2Session;
  setImmediate(() => plain.destroy.apply(this, how));
}

function closeLater(this: ServerHttp2Stream, ...how: Parameters<ServerHttp2Stream['close']>): void {
  const plain = Object.getPrototypeOf(this) as ServerHttp2Stream;
  setImmediate(() => plain.close.apply(this, how));
}
