// Every limit that a client or an operator can meet, each with its reason. Bytes and times in ms, unless a name says
// otherwise. The tables in docs/operations.md are made from this file. How the service paces itself is no limit: such a
// number stands at the top of the file that uses it.

const KiB = 1024;
const MiB = 1024 * KiB;
const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

/** What the operator may set: the values without a flag. Named as the settings are. */
export const PRESETS = {
  /** Members of a cluster: far past every etcd cluster that works. */
  maxSize: 1000,
  /** How long a token works: a weekend, and some days before it. */
  ttl: 7 * days,
  /** The shortest life that may be asked for: time to start the nodes. */
  minTtl: 1 * minutes,
  /** The longest. A token that would be kept for longer is better made anew. */
  maxTtl: 365 * days,
  /** How long an expired or deleted token is still told apart from one that never was. */
  retention: 7 * days,
  /** Tokens held at once, those that are remembered included: 1 to 3 GB of disk. */
  maxTokens: 2_000_000,
  /** Bytes of tokens in the embedded store until no new ones are made: 2 million with three members each take 3 GB. */
  dataMaxBytes: '4GiB',
  /** The same of an etcd: half of the 2 GB that etcd has as its quota, as it keeps what was deleted until it compacts. */
  etcdMaxBytes: '1GiB',
  /**
   * Tokens that one client makes: a thousand at once for whoever makes many for others. Those of one a second are
   * forgotten in 14 days, as many as are made meanwhile: 1.2 million, so that no client alone fills the 2 million
   * of --max-tokens.
   */
  clientNewTokens: '1/s:1000',
  /**
   * Bytes that one client has stored: at once those of 30 of the largest clusters, then as much as 12 tokens a second
   * with three members each. In 14 days that is 20 GB: --data-max-bytes and --etcd-max-bytes bound all clients.
   */
  clientBytes: '1MiB/m:16MiB',
  /** Requests of one client. A read costs as little as its refusal; and behind a proxy that is not in --trusted-proxies all are one client. */
  clientRequests: 'off',
  /** Requests of one client at once: a fifth of all, and ten for each node of the largest cluster behind one address. */
  clientAtOnce: 10_000,
  /** Waiting nodes and watches of one client: half of its requests, so that those who are awaited can still register. */
  clientWatches: 5000,
  /** Connections of one client: a quarter of all, and five for each node of the largest cluster behind one address. */
  clientConnections: 5000,
  /** Requests that are not answered yet, streams included, over all connections: 20 KB each, 1 GB. */
  maxAtOnce: 50_000,
  /** Waiting nodes and watches: four fifths of that, as what nodes wait for are the calls of others, which need room. */
  maxWatches: 40_000,
  /** Open connections: 20 KB each with a waiter, 400 MB. */
  maxConnections: 20_000,
  /** How long a v2 long poll waits before it returns empty: below the idle timeouts of HAProxy (50 s) and nginx (60 s). */
  pollLimit: 45 * seconds,
} as const;

/** Of what is kept of a cluster. */
export const CLUSTER_LIMITS = {
  /** Long enough for any UUID or name; short enough for a URL and a log line. */
  tokenLength: 128,
  /** etcd sends 16 hexadecimal digits; other clients may use names. */
  memberIdLength: 64,
  /** A DNS name's label is 63, a pod's name at most 253; etcd itself sets no bound. */
  nameLength: 253,
  /** A scheme, a DNS name of 253 and a port, with room. */
  peerUrlLength: 300,
  /** A node has a handful of addresses. */
  peerUrls: 16,
  /** A sentence for people. */
  descriptionLength: 256,
  /** A URL of discovery, kept with each member. */
  discoveryTextLength: 1024,
  /**
   * The members of a cluster, as every list has them: id, name, discovery text, and each peer URL twice and the name
   * with it, for `initial_cluster`. Each place has its equal share, so that those who come first leave room for the
   * others. A full list stays below 1 MB in every dialect, and 17 of the largest members fit.
   */
  membersBytes: 256 * KiB,
  /** The least share, of a cluster of 1,000: a member with one address, and the text of its discovery. */
  leastMemberBytes: 262,
  /** The same of all standbys, beside the members. */
  standbysBytes: 64 * KiB,
  /** Nodes that came too late, kept so that they see their rank; more than this is a mistake that loops. */
  standbys: 100,
  /** Changes of a token, all of them kept: four for each member of the largest cluster. */
  changesPerToken: 4096,
  /** The same for each place, where that is more: a registration and its replacement. */
  changesPerPlace: 2,
  /** What the changes of a token take together: 500 bytes for each, of a member that has one or two addresses. */
  changeBytesPerToken: 2 * MiB,
  /** Changes read at once for one watcher, so that a slow one holds a bounded batch. */
  eventsPerRead: 256,
  /** What these take, but for one that is larger: 5,000 slow watchers, as many as one client may have, hold 160 MB. */
  eventBytesPerRead: 32 * KiB,
  /** 128 random bits in base64, as few as nobody guesses. */
  requestIdLeastLength: 22,
  /** A SHA-256 in hexadecimal; any UUID is shorter. */
  requestIdLength: 64,
  /** A call whose reply was lost is made again within seconds. Later its request_id may have been seen by others. */
  repeatWindow: 1 * minutes,
  /** A lost reply is repeated within etcd's request time-out of 5 s and its back-off; then it is a rejoin. */
  retryWindow: 30 * seconds,
} as const;

/** Of what the API answers. */
export const API_LIMITS = {
  /** Details of an error, as protobuf: in base64 they are 4 KiB of the 8 KiB of trailers that clients of gRPC read. */
  errorDetailBytes: 3 * KiB,
  /** Members of a cluster for which none is named: as few as outlive one of them. */
  defaultSize: 3,
} as const;

/** Of everything that a peer can make the port hold. */
export const PORT_LIMITS = {
  /** From accept, or the TLS handshake, to the bytes that tell the protocol; clients send at once, on the worst link in 2 s. */
  sniffTimeout: 10 * seconds,
  /** From accept to the end of the TLS handshake, where there is TLS: two round trips and a slow client's sums. */
  handshakeTimeout: 10 * seconds,
  /** To receive a request's headers: one packet for every real client. */
  headersTimeout: 15 * seconds,
  /** To receive a whole request: the largest body in time over 300 kbit/s. A long poll is received at once. */
  requestTimeout: 30 * seconds,
  /** What is left of a body whose request is answered is read up to here over HTTP/1.1, and the connection kept: twice the largest form, with room. Past it, or where a body in chunks does not say, the answer says that it closes the connection. */
  unreadBodyBytes: 256 * KiB,
  /** For a client to send that rest: it was on its way when the answer left. */
  unreadBodyTimeout: 10 * seconds,
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
  /** A token, a long list of peer URLs and a proxy's headers take 3 KiB. */
  headerBytes: 16 * KiB,
  /** Browsers behind proxies send 30. */
  headers: 100,
  connections: PRESETS.maxConnections,
  /** Connections that wait to be accepted, as many as Linux lets wait: it drops those past these, and their clients try again after a second. */
  backlog: 4096,
  /** Connections past the limit that are told so; those past these are dropped. */
  refusals: 200,
  requests: PRESETS.maxAtOnce,
  /** Unanswered requests on one HTTP/1.1 connection: real clients pipeline few or none. */
  pipelined: 100,
  /** Streams on one HTTP/2 connection: a program that watches that many clusters opens another. */
  streams: 1000,
  /** Unread body of a stream: with all streams 16 MiB a connection. */
  streamWindowBytes: 16 * KiB,
  /** Answers that are not read, of all clients: a fifth of 512 MB. Past it the slowest readers are cut off. */
  unread: 96 * MiB,
  /** The same of one client: a quarter of all, a hundred of the largest answers. */
  clientUnread: 24 * MiB,
  /** The same of one connection: no more of its requests are begun meanwhile. Several of the largest answers. */
  connectionUnread: 1 * MiB,
  /** What one HTTP/2 connection may hold in nghttp2, in megabytes: past it new streams are refused. */
  sessionMegabytes: 10,
  /** Frames against the protocol until the connection is closed: a client sends none. */
  invalidFrames: 20,
  /** Streams refused until the connection is closed. */
  rejectedStreams: 100,
  /** Streams that one connection opens and resets at once (rapid reset): past it the connection is closed. */
  resetBurst: 1000,
  /** How many of those it has back in a second. */
  resetRate: 33,
  /** Entries of one SETTINGS frame: the protocol knows 7. */
  settings: 32,
} as const;

/** Of what is read of a request, and kept of those who send them. */
export const REQUEST_LIMITS = {
  /** A message of an RPC, unpacked. The largest has 16 peer URLs of 300 bytes: 5 KB. */
  rpcMessageBytes: 64 * KiB,
  /** The form of a v2 request: a member with 16 peer URLs, percent-encoded, takes a quarter of this. */
  v2BodyBytes: 64 * KiB,
  /** To receive it. A node gives up after 5 s. */
  v2BodyTimeout: 10 * seconds,
  /** The form of the page: a description of 256 characters, percent-encoded, takes less than half of it. */
  pageFormBytes: 8 * KiB,
  /** Between messages of a quiet watch: below the idle timeouts of HAProxy (50 s) and nginx (60 s). */
  heartbeatInterval: 45 * seconds,
  /** Addresses read of X-Forwarded-For or Forwarded: more than proxies stand in a row anywhere. */
  forwardedHops: 16,
  /** Clients remembered: 10 to 20 MB. Past it those that are looked at go, but for who has something open, and have their burst again. */
  clients: 100_000,
  /** New connections of a client are dropped for so long after one was cut off for its flood: the next would flood too. */
  floodPause: 2 * seconds,
  /** Connections of one client past its limit that are told so; those past these are dropped. */
  clientRefusals: 20,
  /** When to try again where nobody knows when there is room. */
  clientPause: 5 * seconds,
  /** Connections to --metrics-addr: a scraper or two, and probes. */
  metricsConnections: 100,
  /** Lines of the log that their reader has not taken: more are dropped. */
  unwrittenLogBytes: 16 * MiB,
  /** The file of --config: every setting with a page of comments takes a tenth of it. */
  configFileBytes: 64 * KiB,
} as const;

/** Of etcd's v2 dialect. */
export const V2_LIMITS = {
  /**
   * Registrations of a token that are kept for the nodes that wait for it, as they are answered: those of the largest
   * cluster. Who waits from further back is told them again by the store.
   */
  feedBytes: 512 * KiB,
  /** The same of all tokens together: past it each keeps the latest alone. */
  allFeedsBytes: 32 * MiB,
} as const;

/** Of what counts as one more request of --client-requests: each is about as much work as a small request. */
export const WORK_LIMITS = {
  /** Bytes of an answer: as many are sent in the time of a small one. */
  sentBytes: 64 * KiB,
  /** Bytes of an answer that is compressed: a list had ten times as many, and compressing them took most of the time. */
  compressedBytes: 4 * KiB,
  /** Bytes of a page that was not made before. One that was is shared until its cluster is another, or a second has gone by. */
  pageBytes: 8 * KiB,
  /** Members of a list of either dialect of etcd that was not made before. One that was is shared until its cluster is another. */
  listedMembers: 500,
  /** Operations of a transaction. */
  operations: 32,
  /** Keys that a transaction looks at in all of its operations. */
  keysLookedAt: 4000,
  /** Clusters that are looked at for a page of the operators' list. */
  clustersLookedAt: 10,
  /** Watches of a stream that is asked how far they have come. */
  watchesAsked: 64,
  /** Bytes that are kept of what was made, for each of both dialects and the page: a list of the largest cluster has 140 KB, its page 360 KB. */
  renderedBytes: 16 * MiB,
} as const;

/** Of the operators' list of clusters. */
export const LIST_LIMITS = {
  /** Clusters of a page that says nothing of it: a few screens. */
  clusters: 50,
  /** The most that a page may be asked for: of the largest clusters, a page ends before. */
  mostClusters: 200,
  /** Clusters that are looked at for a page, whether they fit its filters or not: 10 to 20 ms of the embedded store. A page ends there, and is then short. */
  clustersPerPage: 1000,
  /** What these take together until a page ends: members' names are far less, and below the 4 MB that gRPC's clients read. */
  pageBytes: 2 * MiB,
} as const;

/** Of etcd's v3 dialect. */
export const V3_LIMITS = {
  /** Watches on one stream; a client of etcd puts all of its watches on one. */
  watchesPerStream: 1000,
  /** Those of them whose token has ended: they wait in vain, and count to no limit of watches. A node has one watch. */
  endedPerStream: 8,
  /** Comparisons of a transaction, and operations on either side: as etcd has it. */
  operationsPerTransaction: 128,
  /** Keys that the reads of a transaction answer together, so that a small question gets no endless answer: the largest cluster, three times. */
  keysPerTransaction: 4000,
  /** How often an idle watch that asked for progress, or a node's, gets it: below proxies' idle timeouts, where etcd's 10 minutes are not. */
  progressInterval: 45 * seconds,
  /**
   * How often a put or a transaction looks again when its key changed between its look and its write. Each time
   * is one that somebody else's write was done, so this many clients may write one key at the same time.
   */
  attempts: 100,
} as const;

/** Of the store that replicas share. */
export const STORE_LIMITS = {
  /** Past its most bytes, what a store still takes for the tokens that it has, in proportion to them: their members. */
  bytesMargin: 0.25,
  /** Writes that wait for etcd: more is more than it could do in the time that callers wait. */
  etcdWaiting: 50_000,
} as const;
