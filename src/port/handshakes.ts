import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { shownAddress } from '../values/ip.ts';
import { peerOf } from './connection.ts';
import { type Refusal, refuseAndClose } from './reply.ts';
import type { PortSetup } from './setup.ts';
import { warnRarely } from './warn-rarely.ts';

const CLEAR_TEXT: Refusal = {
  status: 400,
  text: 'This port uses HTTPS, but the request was sent over plain HTTP. Send it to the same address with https://.',
};

/** The first byte of an HTTP request, which no TLS record has. */
const LETTER = /^[A-Za-z]/;

type HandshakeError = Error & { readonly reason?: string };

/**
 * Guards the handshakes of a TLS server: answers clients that speak plain HTTP, ends handshakes that take too
 * long, and tells the operator why clients fail.
 */
export function guardHandshakes(server: Server, { limits, log, onRefused }: PortSetup): void {
  const begin = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners('connection');
  // Scanners and retries of misconfigured clients cause many failures.
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
      fail(shownAddress(socket.remoteAddress), 'http request', 'a client sent plain HTTP to the HTTPS port');
      refuseAndClose(socket, CLEAR_TEXT, limits.lingerTimeout);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => endDeadline(deadlines, peerOf(socket)));
  server.on('tlsClientError', ({ reason: said }: HandshakeError, socket: TLSSocket) => {
    // Node.js reports problems with the client's certificate only here.
    const reason = said ?? (socket.authorizationError as unknown as string | null) ?? undefined;
    // Failures without a TLS reason are peers that left or were cut off.
    if (reason !== undefined) fail(shownAddress(socket.remoteAddress), reason, 'a TLS handshake failed');
  });
}

function endDeadline(deadlines: Map<string, NodeJS.Timeout>, peer: string): void {
  clearTimeout(deadlines.get(peer));
  deadlines.delete(peer);
}

/** Calls `then` with the first bytes of a socket, unless the peer leaves before. */
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
