import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { PORT_LIMITS, type PortLimits } from '../limits.ts';
import { BusyLooks } from './busy.ts';
import type { Connection } from './connection.ts';
import { BUSY, CROWDED, Dispatch, ignore, type PortHandler, type PortLog } from './dispatch.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import type { OnRefused } from './refusals.ts';
import { refuseAndClose } from './reply.ts';
import { sniff } from './sniff.ts';
import type { TlsIdentity } from './tls.ts';
import { protocolByAlpn, tellHandshakeFailures } from './tls.ts';

export { type PortRequest, type PortResponse, schemeOf } from './connection.ts';
export type { PortHandler, PortLog } from './dispatch.ts';

export interface PortOptions {
  /** The address to listen on, like 127.0.0.1; undefined: all of them. */
  readonly host?: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** A socket that listens already takes the place of both. */
  readonly fd?: number | undefined;
  /** With it the port speaks TLS, and nothing in clear text. */
  readonly tls?: TlsIdentity | undefined;
  readonly handler: PortHandler;
  readonly log: PortLog;
  readonly limits?: Partial<PortLimits>;
  /** Told of each connection and request that the port refuses by itself. */
  readonly onRefused?: OnRefused;
  /** Counts the connections of each client. Undefined: of one that has no limit. */
  readonly connect?: ((socket: Socket) => ConnectionCount | undefined) | undefined;
  /** A connection was cut off for its flood. */
  readonly onFlood?: (socket: Socket) => void;
}

/** A connection as one of its client's. */
export interface ConnectionCount {
  /** Past the limit of the client: told so, where the protocol can, or dropped. */
  readonly verdict: 'WELCOME' | 'REFUSED' | 'DROPPED';
  end(): void;
}

/** One listening TCP port that speaks HTTP/1.1 and HTTP/2: with prior knowledge, or over TLS as ALPN says. */
export interface Port {
  readonly address: string;
  readonly port: number;
  /** Sockets open now, those whose handshake is not over or whose protocol is not known yet included. */
  connections(): number;
  /** Those that are not answered yet. */
  requests(): number;
  /**
   * Accepts nothing new, lets the requests in flight be answered, and closes. `cut`: some were not answered
   * within `grace` ms and were cut off. Waiters and streams are for the caller to end first.
   */
  drain(grace: number): Promise<'drained' | 'cut'>;
  /** Another certificate and key in place of those that it opened with. Open connections stay as they are. */
  renewTls(tls: TlsIdentity): void;
}

/** Opens the port. Rejects with Node's error (EADDRINUSE, EACCES, ...) when it cannot be listened on. */
export async function openPort(options: PortOptions): Promise<Port> {
  const { log, onRefused = () => {}, onFlood = () => {} } = options;
  const limits: PortLimits = { ...PORT_LIMITS, ...options.limits };
  /** As they were accepted. Over TLS another socket stands for each once it is ready. */
  const accepted = new Set<Socket>();
  const connections = new Map<Socket, Connection>();
  /** Those past the limit of their client, by `peerOf`, which over TLS is the same for both sockets. */
  const crowded = new Set<string>();
  const dispatch = new Dispatch(options.handler, log, limits, onRefused);
  const http1 = createHttp1({ limits, tls: options.tls, onRefused }, (request, response) =>
    dispatch.request(request, response),
  );
  const adoptHttp2 = createHttp2({ limits, log, onRefused, onFlood }, (request, response) =>
    dispatch.request(request, response),
  );
  const { server } = http1;
  const busyLooks = new BusyLooks(limits, () => {
    const now = performance.now();
    for (const connection of connections.values()) connection.look?.(now);
  });
  let full = false;
  let draining: Promise<'drained' | 'cut'> | undefined;
  let onClosed = (): void => {};

  const accept = (socket: Socket): void => {
    // A reset can come at any moment, also between two owners of the socket.
    socket.on('error', ignore);
    accepted.add(socket);
    busyLooks.awaken();
    const count = options.connect?.(socket);
    const peer = peerOf(socket);
    socket.on('close', () => {
      count?.end();
      crowded.delete(peer);
      accepted.delete(socket);
      onClosed();
    });
    if (count?.verdict === 'REFUSED') crowded.add(peer);
    else if (count?.verdict === 'DROPPED') socket.destroy();
    if (count !== undefined && count.verdict !== 'WELCOME') onRefused('client_connections');
  };
  const begin = (socket: Socket): void => {
    socket.on('error', ignore);
    // Dropped as it came.
    if (socket.destroyed) return;
    // One that was accepted just before the drain may have a request in its first bytes: it has the linger time.
    connections.set(socket, { sweep() {}, drain() {} });
    socket.on('close', () => connections.delete(socket));
    const isFull = accepted.size > limits.connections;
    if (isFull && !full) {
      log.warn({ connections: limits.connections }, 'at the limit of connections: new ones get a 503');
    }
    // Said once, until there is room again for more than the next one.
    full = isFull || (full && accepted.size > limits.connections * 0.9);
    if (isFull) onRefused('connections');
    const refusal = isFull ? BUSY : crowded.has(peerOf(socket)) ? CROWDED : undefined;
    sniff(socket, limits.sniffTimeout, (sniffed) => {
      const protocol = sniffed && (protocolByAlpn(socket) ?? sniffed);
      if (protocol === undefined && !socket.readableEnded) onRefused('slow_sender');
      if (protocol === undefined) socket.destroy();
      else if (protocol === 'http1' && refusal) refuseAndClose(socket, refusal, limits.lingerTimeout);
      else if (refusal) socket.destroy();
      else {
        const connection = protocol === 'http1' ? http1.adopt(socket) : adoptHttp2(socket);
        connections.set(socket, connection);
        // Two turns later the request has begun, if one came.
        if (draining !== undefined) setImmediate(() => setImmediate(() => connection.drain()));
      }
    });
  };

  server.on('connection', accept);
  server.on(http1.ready, begin);
  server.on('drop', () => onRefused('connections'));
  tellHandshakeFailures(server, log, onRefused);
  server.maxConnections = limits.connections + limits.refusals;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const { fd, host, port } = options;
    server.listen(fd === undefined ? { host, port, backlog: limits.backlog } : { fd }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error }, 'a connection could not be accepted'));
  const sweeper = setInterval(() => {
    const now = performance.now();
    busyLooks.sweep();
    for (const connection of connections.values()) connection.sweep(now);
  }, limits.sweepInterval);
  sweeper.unref();

  const drain = (grace: number): Promise<'drained' | 'cut'> =>
    new Promise((resolve) => {
      let linger: NodeJS.Timeout | undefined;
      const finish = (): void => {
        onClosed = () => {};
        clearTimeout(deadline);
        clearTimeout(linger);
        clearInterval(sweeper);
        busyLooks.stop();
        const cut = dispatch.inFlight > 0;
        for (const socket of accepted) socket.destroy();
        server.close(); // ends the timer of Node's time-outs
        resolve(cut ? 'cut' : 'drained');
      };
      // What is left open then has been answered, and only the peer has not closed its side yet.
      const look = (): void => {
        clearTimeout(linger);
        if (accepted.size === 0) finish();
        else if (dispatch.inFlight === 0) linger = setTimeout(finishIdle, limits.lingerTimeout);
      };
      const finishIdle = (): void => {
        if (dispatch.inFlight === 0) finish();
      };
      const deadline = setTimeout(finish, grace);
      onClosed = look;
      dispatch.onIdle = look;
      // Not HTTP's own close: it destroys connections whose answers are written but not yet sent.
      NetServer.prototype.close.call(server);
      for (const connection of connections.values()) connection.drain();
      look();
    });

  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    connections: () => accepted.size,
    requests: () => dispatch.inFlight,
    drain: (grace) => (draining ??= drain(grace)),
    renewTls: (tls) => http1.renew(tls),
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
