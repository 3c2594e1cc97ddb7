import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { writeQueueOf, writtenOf } from './answer.ts';
import type { PortSetup } from './setup.ts';

/**
 * Pings an HTTP/2 peer at intervals, and once when it falls silent. node:http2 does not report that it ended
 * a connection because of the peer's bytes, nor afterwards that the peer is gone. `session.setTimeout` is
 * unsuitable: it fires for a quiet watch, and any write postpones it. Returns the function to call at every
 * sweep.
 */
export function startPings(
  session: ServerHttp2Session,
  socket: Socket,
  { limits: { pingInterval, pingTimeout }, onRefused }: PortSetup,
): (now: number) => void {
  // The peer's bytes at the last sweep, and at its last ping response.
  let sweptBytes = 0;
  let answeredBytes = 0;
  /** Bytes written when it was last pinged. */
  let writtenBytes: number | undefined = 0;
  let pingedAt = performance.now();
  let isAnswered = true;
  const end = (why: 'gone' | 'malformed'): void => {
    onRefused(why);
    session.destroy();
    socket.destroy();
  };
  /**
   * Whether nghttp2 has ended the connection, which older versions of node:http2 do not report: its pending
   * bytes are never sent. Checked one sweep after the ping, because a healthy busy connection always has
   * pending bytes but sends them soon. If the peer does not read, bytes remain in the queue of the socket.
   */
  const isGivenUp = (): boolean =>
    writtenOf(socket) === writtenBytes &&
    writeQueueOf(socket) === 0 &&
    (session.state.outboundQueueSize ?? 0) > 0;
  return (now) => {
    const { bytesRead } = socket;
    const isQuiet = bytesRead === sweptBytes;
    sweptBytes = bytesRead;
    if (session.destroyed) return;
    if (!isAnswered && isGivenUp()) return end('malformed');
    if (!isAnswered && now - pingedAt > pingTimeout) return end('gone');
    const isDue = now - pingedAt > pingInterval || (isQuiet && bytesRead !== answeredBytes);
    if (!isAnswered || !isDue) return;
    pingedAt = now;
    isAnswered = false;
    writtenBytes = writtenOf(socket);
    session.ping((error) => {
      isAnswered = error === null;
      answeredBytes = socket.bytesRead;
    });
  };
}
