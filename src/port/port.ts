import type { AddressInfo, Server, Socket } from 'node:net';
import { shownAddress } from '../values/ip.ts';
import type { Answer } from './answer.ts';
import { BusyLooks } from './busy.ts';
import { stillTrusted } from './client-certificates.ts';
import { Connections } from './connections.ts';
import { Dispatch } from './dispatch.ts';
import { type Drained, drain } from './drain.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import { DEFAULTS, type PortLimits } from './limits.ts';
import type { PortSetup } from './setup.ts';
import type { TlsIdentity } from './tls.ts';
import { Turns } from './turns.ts';
import { Unread } from './unread.ts';
import { warnRarely } from './warn-rarely.ts';

export type { PortRequest, PortResponse } from './connection.ts';
export { isOver, onClose, type RequestHead, type ResponseHead } from './heads.ts';
export { Http2Call } from './http2-call.ts';
export { reachedUrl, schemeOf } from './reached-url.ts';
export { NO_STORE } from './reply.ts';
export type { CallHandler, ConnectionCount, PortHandler, PortLog } from './setup.ts';

export interface PortOptions
  extends Pick<PortSetup, 'handler' | 'log'>,
    Partial<Omit<PortSetup, 'limits' | 'unread' | 'turns' | 'handler' | 'log'>> {
  /** The address to listen on, such as 127.0.0.1. Undefined: all addresses. */
  readonly host?: string | undefined;
  /** The port. 0: any free one. */
  readonly port: number;
  /** A socket that is already listening. It replaces both. */
  readonly fd?: number | undefined;
  readonly limits?: Partial<PortLimits>;
}

/**
 * Port is one listening TCP port that speaks HTTP/1.1 and HTTP/2: by prior knowledge, or over TLS by ALPN.
 */
export interface Port {
  readonly address: string;
  readonly port: number;
  /**
   * Returns the number of open sockets, including those with an unfinished handshake or an unknown protocol.
   */
  connections(): number;
  /** Returns the number of unanswered requests. */
  requests(): number;
  /**
   * Stops accepting, lets the requests in flight finish, and closes. `cut`: some were not answered within
   * `grace` ms and were cut off. The caller must end waiting requests and streams first.
   */
  drain(grace: number): Promise<Drained>;
  /**
   * Replaces the files that the port was opened with. Open connections are kept, except those of clients that
   * the new files would not admit. Returns the number of closed connections.
   */
  renewTls(tls: TlsIdentity): number;
}

/** Opens the port. Rejects with Node's error (EADDRINUSE, EACCES, ...) if it cannot listen. */
export async function openPort(options: PortOptions): Promise<Port> {
  const limits = { ...DEFAULTS, ...options.limits };
  const setup: PortSetup = {
    tls: undefined,
    calls: undefined,
    onArrival: () => {},
    onRefused: () => {},
    connect: () => undefined,
    clientOf: () => undefined,
    onFlood: () => {},
    errorPage: () => undefined,
    ...options,
    limits,
    unread: new Unread(limits, (answer, byClient) => tellUnread(answer, byClient)),
    turns: new Turns(),
  };
  const warn = warnRarely(setup.log);
  const tellUnread = ({ socket }: Answer, byClient: boolean): void => {
    onRefused('unread');
    if (byClient) setup.onFlood(socket);
    warn(
      { remote: shownAddress(socket.remoteAddress) },
      'closed the connection of a client that does not read its responses',
    );
  };
  const { log, onRefused } = setup;
  const dispatch = new Dispatch(setup);
  const http1 = createHttp1(setup, dispatch.request.bind(dispatch));
  const adoptHttp2 = createHttp2(setup, dispatch);
  const { server } = http1;
  const connections = new Connections(setup, (protocol, socket) =>
    protocol === 'http1' ? http1.adopt(socket) : adoptHttp2(socket),
  );
  const busyLooks = new BusyLooks(limits, () => connections.look(performance.now()));

  server.on('connection', (socket) => {
    connections.accept(socket);
    busyLooks.awaken();
  });
  server.on(http1.ready, (socket: Socket) => connections.begin(socket));
  server.on('drop', () => onRefused('connections'));
  server.maxConnections = limits.connections + limits.refusals;
  await listen(server, options, limits.backlog);
  server.on('error', (error) => log.error({ err: error }, 'could not accept a connection'));
  const sweeper = setInterval(() => {
    busyLooks.sweep();
    connections.sweep(performance.now());
  }, limits.sweepInterval).unref();

  const { address, port } = server.address() as AddressInfo;
  const close = async (grace: number): Promise<Drained> => {
    const drained = await drain({ server, connections, dispatch, linger: limits.lingerTimeout }, grace);
    clearInterval(sweeper);
    busyLooks.stop();
    return drained;
  };
  let drained: Promise<Drained> | undefined;
  return {
    address,
    port,
    connections: () => connections.open,
    requests: () => dispatch.inFlight,
    drain: (grace) => (drained ??= close(grace)),
    renewTls(identity) {
      http1.renew(identity);
      return connections.review(stillTrusted(identity));
    },
  };
}

function listen(server: Server, { fd, host, port }: PortOptions, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(fd === undefined ? { host, port, backlog } : { fd }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
