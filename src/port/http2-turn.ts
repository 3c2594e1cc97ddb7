// Why: what ends an HTTP/2 connection or resets a stream makes node:http2 send what waits, and inside of an event that
// nghttp2 delivers that is more than nghttp2 bears: it spins for ever, or Node.js aborts. Any code that runs in such an
// event, or in a promise that it resolves, can do it: ours, Connect's, and that of node:http2 itself.
// Until: node:http2 itself waits with it (http2Session.destroy() in a 'close' of a stream that its peer has reset).

import type { Http2Session, Http2Stream } from 'node:http2';

/** From now on whatever ends the connection does so in a turn of the event loop of its own. */
export function endLater(session: Http2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (...how) => {
    setImmediate(destroy, ...how);
  };
}

/** From now on whatever resets the stream does so in a turn of the event loop of its own. */
export function resetLater(stream: Http2Stream): void {
  stream.close = closeLater;
  stream.destroy = destroyLater;
}

function closeLater(this: Http2Stream, ...how: Parameters<Http2Stream['close']>): void {
  const plain = Object.getPrototypeOf(this) as Http2Stream;
  setImmediate(() => plain.close.apply(this, how));
}

function destroyLater<Stream extends Http2Stream>(this: Stream, error?: Error): Stream {
  const plain = Object.getPrototypeOf(this) as Stream;
  // One that is closed, as every one that has come to its end, sends nothing; and its connection ends in a turn of its own.
  if (this.closed || this.session?.destroyed !== false) plain.destroy.call(this, error);
  else setImmediate(() => plain.destroy.call(this, error));
  return this;
}
