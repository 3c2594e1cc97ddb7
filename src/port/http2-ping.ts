import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { writeQueueOf, writtenOf } from './answer.ts';
import type { PortSetup } from './setup.ts';

/**
 * Pings an HTTP/2 peer, at intervals and once when it falls silent: node:http2 does not tell that it has ended a
 * connection for what the peer sent, nor then that the peer is gone. `session.setTimeout` would not do: it fires on a
 * quiet watch, and is put off by any write. Returns what is called at every sweep.
 */
export function startPings(
  session: ServerHttp2Session,
  socket: Socket,
  { limits: { pingInterval, pingTimeout }, onRefused }: PortSetup,
): (now: number) => void {
  // Bytes of the peer at the last sweep, and at its last answer to a ping.
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
   * nghttp2 has ended the connection, of which older versions of node:http2 do not tell: it keeps what it is to send.
   * Looked at a sweep after the ping, as a busy connection that is well has something to send at any moment, and soon
   * sends it. A peer that does not read leaves bytes in the queue of the socket.
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
