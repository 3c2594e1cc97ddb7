import type { Socket } from 'node:net';

/** The first bytes of an HTTP/2 client that does not upgrade. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export type Protocol = 'http1' | 'http2';

/**
 * Detects the protocol of a new connection from its first bytes, and puts them back. `done` gets undefined if
 * the peer left or took longer than `timeout` ms. It is called once, and not after the socket has closed.
 */
export function sniff(socket: Socket, timeout: number, done: (protocol?: Protocol) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const finish = (protocol?: Protocol): void => {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    if (protocol !== undefined) socket.unshift(seen);
    done(protocol);
  };
  const onReadable = (): void => {
    for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const length = Math.min(seen.length, PREFACE.length);
      if (seen.compare(PREFACE, 0, length, 0, length) !== 0) return finish('http1');
      if (length === PREFACE.length) return finish('http2');
    }
  };
  const onEnd = (): void => finish();
  const onClose = (): void => clearTimeout(timer);
  const timer = setTimeout(finish, timeout);
  socket.on('readable', onReadable).on('end', onEnd).on('close', onClose);
}

const read = (socket: Socket): Buffer | null => socket.read() as Buffer | null;
