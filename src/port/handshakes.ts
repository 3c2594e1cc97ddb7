import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { shownAddress } from '../values/ip.ts';
import { peerOf } from './connection.ts';
import { type Refusal, refuseAndClose } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { warnRarely } from './warn-rarely.ts';

const CLEAR_TEXT: Refusal = {
  status: 400,
  text: 'This port speaks HTTPS, and this request came over plain HTTP: send it to the same address with https://.',
};

/** What a request begins with, and no record of TLS. */
const LETTER = /^[A-Za-z]/;

type HandshakeError = Error & { readonly reason?: string };

/**
 * Stands before the handshakes of a server over TLS: answers clients that speak plain HTTP, ends what takes too long, and
 * tells the operator why clients do not get through.
 */
export function guardHandshakes(server: Server, { limits, log, onRefused }: PortSetup): void {
  const begin = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  // Every scanner and every retry of a misled client makes failures.
  const warn = warnRarely(log);
  const fail = (remote: string | undefined, reason: string, text: string): void => {
    onRefused('handshake');
    warn({ reason, remote }, text);
  };
  const deadlines = new Map<string, NodeJS.Timeout>();

  server.on('connection', (socket) => {
    const peer = peerOf(socket);
    const late = (): void => {
      onRefused('slow_sender');
      socket.destroy();
    };
    deadlines.set(peer, setTimeout(late, limits.handshakeTimeout));
    socket.on('close', () => endDeadline(deadlines, peer));
    whenHeard(socket, (first) => {
      if (!LETTER.test(first.toString('latin1', 0, 1))) {
        socket.unshift(first);
        for (const listener of begin) listener.call(server, socket);
        return;
      }
      endDeadline(deadlines, peer);
      fail(shownAddress(socket.remoteAddress), 'http request', 'a client spoke clear HTTP');
      refuseAndClose(socket, CLEAR_TEXT, limits.lingerTimeout);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => endDeadline(deadlines, peerOf(socket)));
  server.on('tlsClientError', ({ reason: said }: HandshakeError, socket: TLSSocket) => {
    // What is wrong with its certificate Node.js says there alone.
    const reason = said ?? (socket.authorizationError as unknown as string | null) ?? undefined;
    // Those without a reason of TLS have left, or were cut off.
    if (reason !== undefined) fail(shownAddress(socket.remoteAddress), reason, 'a TLS handshake failed');
  });
}

function endDeadline(deadlines: Map<string, NodeJS.Timeout>, peer: string): void {
  clearTimeout(deadlines.get(peer));
  deadlines.delete(peer);
}

/** Calls `then` with the first bytes of a socket. A peer that leaves before is let go. */
function whenHeard(socket: Socket, then: (first: Buffer) => void): void {
  const onReadable = (): void => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    socket.off('readable', onReadable).off('end', onEnd);
    then(first);
  };
  const onEnd = (): void => void socket.destroy();
  socket.on('readable', onReadable).on('end', onEnd);
}
