const seconds = 1000;
const minutes = 60 * seconds;

/** A bound on everything that a peer can make the port hold, each with its reason. Times in ms. */
export const PORT_LIMITS = {
  /** From accept, or the TLS handshake, to the bytes that tell the protocol; clients send at once, on the worst link in 2 s. */
  sniffTimeout: 10 * seconds,
  /** From accept to the end of the TLS handshake, where there is TLS: two round trips and a slow client's sums. */
  handshakeTimeout: 10 * seconds,
  /** To receive a request's headers: one packet for every real client. */
  headersTimeout: 15 * seconds,
  /** To receive a whole request: the largest body in time over 300 kbit/s. A long poll is received at once. */
  requestTimeout: 30 * seconds,
  /** Between requests on HTTP/1.1: longer than the 60 s after which proxies close, so that they close first. */
  keepAliveTimeout: 75 * seconds,
  /** An HTTP/2 connection without a stream: longer than connect-node's own 15 minutes, as for keep-alive. */
  idleSessionTimeout: 20 * minutes,
  /** Between pings to an HTTP/2 peer: a peer that vanished holds its watches no longer than this and the next. */
  pingInterval: 30 * seconds,
  /** For the answer to a ping: longer than a congested link's queue. */
  pingTimeout: 15 * seconds,
  /** Quiet before TCP probes an HTTP/1.1 peer (ten probes, one a second, follow): long polls say nothing. */
  tcpKeepAlive: 30 * seconds,
  /** For a response's bytes that wait for the peer to read: answers are small, so a minute is a peer that won't. */
  stallTimeout: 60 * seconds,
  /** For a peer to read the last words and close its side. */
  lingerTimeout: 1 * seconds,
  /** Between two looks at every connection: a fifth of the shortest time measured this way. */
  sweepInterval: 3 * seconds,
  /** 16 KiB: a token, a long list of peer URLs and a proxy's headers take 3. */
  headerBytes: 16 * 1024,
  /** Browsers behind proxies send 30. */
  headers: 100,
  /** 20 KB a waiter: 400 MB. */
  connections: 20_000,
  /** Connections past the limit that are told so; those past these are dropped. */
  refusals: 200,
  /** Requests in flight over all connections: HTTP/2 puts many on one. 20 KB each: 1 GB. */
  requests: 50_000,
  /** Unanswered requests on one HTTP/1.1 connection: real clients pipeline few or none. */
  pipelined: 100,
  /** Streams on one HTTP/2 connection: a program that watches that many clusters opens another. */
  streams: 1000,
  /** 16 KiB of unread body a stream, so 16 MiB a connection. */
  streamWindowBytes: 16 * 1024,
  /** What one HTTP/2 connection may hold in nghttp2, in megabytes: past it new streams are refused. */
  sessionMegabytes: 10,
  /** Frames against the protocol, and streams refused, until the connection is closed: a client sends none. */
  invalidFrames: 20,
  rejectedStreams: 100,
  /** Streams opened and reset at once (rapid reset): a burst, then so many a second. */
  resetBurst: 1000,
  resetRate: 33,
  /** Entries of one SETTINGS frame: the protocol knows 7. */
  settings: 32,
} as const;

export type PortLimits = { readonly [Name in keyof typeof PORT_LIMITS]: number };
