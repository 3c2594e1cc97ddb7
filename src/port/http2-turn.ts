// Reason: ending an HTTP/2 connection or resetting a stream makes node:http2 send its pending bytes. Inside
// an event that nghttp2 delivers, nghttp2 does not tolerate this: it loops forever, or Node.js aborts. Any
// code in such an event, or in a promise that it resolves, can cause it: ours, Connect's and that of
// node:http2 itself. Remove when node:http2 defers it by itself (test: http2Session.destroy() in a 'close' of
// a stream that its peer has reset).

import type { Http2Session, Http2Stream } from 'node:http2';

/** Makes every end of the connection happen in a separate turn of the event loop. */
export function endLater(session: Http2Session): void {
  session.destroy = destroySessionLater;
}

/** Makes every reset of the stream happen in a separate turn of the event loop. */
export function resetLater(stream: Http2Stream): void {
  stream.close = closeLater;
  stream.destroy = destroyLater;
}

function destroySessionLater(this: Http2Session, ...how: Parameters<Http2Session['destroy']>): void {
  const plain = Object.getPrototypeOf(this) as Http2Session;
  setImmediate(() => plain.destroy.apply(this, how));
}

function closeLater(this: Http2Stream, ...how: Parameters<Http2Stream['close']>): void {
  const plain = Object.getPrototypeOf(this) as Http2Stream;
  setImmediate(() => plain.close.apply(this, how));
}

function destroyLater<Stream extends Http2Stream>(this: Stream, error?: Error): Stream {
  const plain = Object.getPrototypeOf(this) as Stream;
  // A closed stream, such as one that ended normally, sends nothing, and its connection ends in a separate
  // turn.
  if (this.closed || this.session?.destroyed !== false) plain.destroy.call(this, error);
  else setImmediate(() => plain.destroy.call(this, error));
  return this;
}
