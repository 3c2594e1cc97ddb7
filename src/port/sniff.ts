import type { Socket } from 'node:net';
import type { PortLimits } from './limits.ts';

/** The first bytes of an HTTP/2 client that does not upgrade. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export type Protocol = 'http1' | 'http2';

/**
 * Detects the protocol of a new connection from its first bytes, and puts them back. `done` gets undefined if
 * the peer left, or let the limits pass. It is called once, and not after the socket has closed. Returns a
 * function that gives the peer `ms` from now.
 */
export function sniff(
  socket: Socket,
  { keepAliveTimeout, sniffTimeout }: Pick<PortLimits, 'keepAliveTimeout' | 'sniffTimeout'>,
  done: (protocol?: Protocol) => void,
): (ms: number) => void {
  let seen: Buffer = Buffer.alloc(0);
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number): void => {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(finish, ms);
  };
  const finish = (protocol?: Protocol): void => {
    onClose();
    socket.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    if (protocol !== undefined) socket.unshift(seen);
    done(protocol);
  };
  const onReadable = (): void => {
    for (let chunk = read(socket); chunk !== null; chunk = read(socket)) {
      if (seen.length === 0) wait(sniffTimeout);
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const length = Math.min(seen.length, PREFACE.length);
      if (seen.compare(PREFACE, 0, length, 0, length) !== 0) return finish('http1');
      if (length === PREFACE.length) return finish('http2');
    }
  };
  const onEnd = (): void => finish();
  const onClose = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  // Until the first byte it is idle: Go and browsers open connections for later, and Go does not repeat a
  // request if the first one of a connection meets its end.
  wait(keepAliveTimeout);
  socket.on('readable', onReadable).on('end', onEnd).on('close', onClose);
  return wait;
}

const read = (socket: Socket): Buffer | null => socket.read() as Buffer | null;
