// Every limit that a client or an operator can meet, each with its reason. Bytes, and times in ms, unless a name
// says otherwise. The documentation of limits is generated from this file. Numbers by which the service paces itself
// are not limits: they are constants at the top of the files that use them.

const KiB = 1024;
const MiB = 1024 * KiB;
const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;
const days = 24 * hours;

/** Limits that the operator can set: the defaults. Named like the settings. */
export const PRESETS = {
  /** Members of a cluster: far more than any etcd cluster that works. */
  maxSize: 1000,
  /** Default lifetime of a token: enough for a weekend and the working days before it. */
  ttl: 7 * days,
  /** Shortest lifetime: enough time to start the nodes. */
  minTtl: 1 * minutes,
  /** Longest lifetime. A token that is needed for longer should be created again. */
  maxTtl: 365 * days,
  /** How long an expired or deleted token is remembered and reported as such. */
  retention: 7 * days,
  /** Stored tokens, expired and deleted ones included: 1 to 3 GB of disk. */
  maxTokens: 2_000_000,
  /**
   * Size of the embedded store from which no new tokens are created: 2 million tokens with three members each
   * take 3 GB.
   */
  dataMaxBytes: '4GiB',
  /** The same for etcd: half of its 2 GB quota, because etcd keeps deleted data until it compacts. */
  etcdMaxBytes: '1GiB',
  /**
   * New tokens of one client: a thousand at once, for a client that creates them for others. At one a second,
   * 1.2 million tokens are created in the 14 days until the first are forgotten, so one client alone cannot
   * use up the 2 million of --max-tokens.
   */
  clientNewTokens: '1/s:1000',
  /**
   * Bytes stored by one client: at once those of 30 of the largest clusters, then those of 12 tokens a second
   * with three members each. That is 20 GB in 14 days; --data-max-bytes and --etcd-max-bytes limit all
   * clients together.
   */
  clientBytes: '1MiB/m:16MiB',
  /**
   * Requests of one client. Off, because a read costs no more than its rejection, and all clients behind a
   * proxy that is not in --trusted-proxies count as one.
   */
  clientRequests: 'off',
  /**
   * Concurrent requests of one client: a fifth of all, and ten for each node of the largest cluster behind
   * one address.
   */
  clientAtOnce: 10_000,
  /**
   * Waiting nodes and watches of one client: half of its requests, so that the nodes they wait for can still
   * register.
   */
  clientWatches: 5000,
  /**
   * Connections of one client: a quarter of all, and five for each node of the largest cluster behind one
   * address.
   */
  clientConnections: 5000,
  /** Concurrent requests of all connections, streams included: 20 KB each, 1 GB in total. */
  maxAtOnce: 50_000,
  /**
   * Waiting nodes and watches: four fifths of the concurrent requests, because they wait for calls of other
   * nodes, which need room.
   */
  maxWatches: 40_000,
  /** Open connections: 20 KB each with a waiting node, 400 MB in total. */
  maxConnections: 20_000,
  /**
   * How long a v2 long poll waits before it returns empty: below the idle timeouts of HAProxy (50 s) and
   * nginx (60 s).
   */
  pollLimit: 45 * seconds,
} as const;

/** Limits of a cluster's data and of the work done in one step. */
export const CLUSTER_LIMITS = {
  /** Long enough for any UUID or name; short enough for a URL and a log line. */
  tokenLength: 128,
  /** etcd sends 16 hexadecimal digits; other clients may use names. */
  memberIdLength: 64,
  /** A DNS label has up to 63 characters, a pod's name up to 253; etcd itself has no limit. */
  nameLength: 253,
  /** A scheme, a DNS name of 253 characters and a port, with some room. */
  peerUrlLength: 300,
  /** A node has a handful of addresses. */
  peerUrls: 16,
  /** A sentence for people. */
  descriptionLength: 256,
  /** A discovery URL, which is stored with each member. */
  discoveryTextLength: 1024,
  /**
   * Bytes of a cluster's members in each list: ID, name, discovery text, and each peer URL twice with the
   * name once more, for `initial_cluster`. Every place has an equal share, so that early members leave room
   * for later ones. A full list stays below 1 MB in every dialect, and 17 members of the largest size fit.
   */
  membersBytes: 256 * KiB,
  /** The smallest share, in a cluster of 1,000: a member with one address, and its discovery text. */
  leastMemberBytes: 262,
  /** The same for all standbys, in addition to the members. */
  standbysBytes: 64 * KiB,
  /**
   * Nodes that registered too late, kept so that they can see their rank. More than this is a mistake in a
   * loop.
   */
  standbys: 100,
  /** Changes of a token, all of which are stored: four for each member of the largest cluster. */
  changesPerToken: 4096,
  /** Changes for each place in the cluster, if this allows more in total: a registration and its replacement. */
  changesPerPlace: 2,
  /** Bytes of the changes of a token: 500 for each, enough for a member with one or two addresses. */
  changeBytesPerToken: 2 * MiB,
  /** Changes read at once for one watcher, so that a slow one holds a bounded batch. */
  eventsPerRead: 256,
  /**
   * Bytes of these, except for a single larger change: 5,000 slow watchers, the limit of one client, hold 160
   * MB.
   */
  eventBytesPerRead: 32 * KiB,
  /** 128 random bits in base64, the least that cannot be guessed. */
  requestIdLeastLength: 22,
  /** A SHA-256 in hexadecimal; any UUID is shorter. */
  requestIdLength: 64,
  /**
   * A call whose response was lost is repeated within seconds. Later its request_id may have been seen by
   * others.
   */
  repeatWindow: 1 * minutes,
  /**
   * etcd repeats a call with a lost response within its request timeout of 5 s and its backoff; a later call
   * is a rejoin.
   */
  retryWindow: 30 * seconds,
} as const;

/** Limits of the API's responses. */
export const API_LIMITS = {
  /**
   * Bytes of error details as protobuf: in base64 they take 4 KiB of the 8 KiB of trailers that gRPC clients
   * accept.
   */
  errorDetailBytes: 3 * KiB,
  /** Size of a cluster created without one: the smallest that survives the loss of a member. */
  defaultSize: 3,
} as const;

/** Limits of everything that a peer can make the port hold. */
export const PORT_LIMITS = {
  /**
   * From the first byte to those that identify the protocol. Clients send them at once, within 2 s on the worst
   * link.
   */
  sniffTimeout: 10 * seconds,
  /** From accept to the end of the TLS handshake: two round trips and the computations of a slow client. */
  handshakeTimeout: 10 * seconds,
  /** Time to receive a request's headers: one packet for every real client. */
  headersTimeout: 15 * seconds,
  /**
   * Time to receive a whole request: the largest body over 300 kbit/s. A long poll's request is received at
   * once.
   */
  requestTimeout: 30 * seconds,
  /**
   * Bytes of a body left unread after the response that are read over HTTP/1.1 to keep the connection: twice
   * the largest form, with some room. If more is left, or a chunked body does not say how much, the response
   * announces that the connection closes.
   */
  unreadBodyBytes: 256 * KiB,
  /** Time for a client to send that rest: it was already on its way when the response left. */
  unreadBodyTimeout: 10 * seconds,
  /**
   * Idle time of an HTTP/1.1 connection, and of a new one until its first byte: longer than the 60 s after
   * which proxies close, so that they close first.
   */
  keepAliveTimeout: 75 * seconds,
  /**
   * Idle time of an HTTP/2 connection without streams: longer than connect-node's own 15 minutes, so that
   * clients close first.
   */
  idleSessionTimeout: 20 * minutes,
  /**
   * Time between pings to an HTTP/2 peer: a peer that has vanished holds its watches no longer than this plus
   * the ping timeout.
   */
  pingInterval: 30 * seconds,
  /** Time for the response to a ping: longer than the queue of a congested link. */
  pingTimeout: 15 * seconds,
  /**
   * Idle time until TCP probes an HTTP/1.1 peer (ten probes, one a second, follow): long polls are silent.
   */
  tcpKeepAlive: 30 * seconds,
  /**
   * Time that a response may wait for its reader: responses are small, so a peer that takes a minute does not
   * read.
   */
  stallTimeout: 60 * seconds,
  /** Time for a peer to read the last bytes and close its side. */
  lingerTimeout: 1 * seconds,
  /** A token, a long list of peer URLs and a proxy's headers take 3 KiB. */
  headerBytes: 16 * KiB,
  /** Browsers behind proxies send 30. */
  headers: 100,
  connections: PRESETS.maxConnections,
  /**
   * Listen backlog: Linux's maximum. Beyond it the kernel drops connections, and clients retry after a
   * second.
   */
  backlog: 4096,
  /** Connections above the limit that receive an error; further ones are dropped. */
  refusals: 200,
  requests: PRESETS.maxAtOnce,
  /** Unanswered requests on one HTTP/1.1 connection: real clients pipeline few or none. */
  pipelined: 100,
  /** Streams on one HTTP/2 connection: a program that watches more clusters opens another connection. */
  streams: 1000,
  /** Unread body of a stream: 16 MiB for all streams of a connection. */
  streamWindowBytes: 16 * KiB,
  /** Unread responses of all clients: a fifth of 512 MB. Beyond it the slowest readers are disconnected. */
  unread: 96 * MiB,
  /** The same for one client: a quarter of all, a hundred of the largest responses. */
  clientUnread: 24 * MiB,
  /** The same for one connection: its further requests wait meanwhile. Several of the largest responses. */
  connectionUnread: 1 * MiB,
  /** Memory of one HTTP/2 connection in nghttp2, in megabytes: beyond it new streams are rejected. */
  sessionMegabytes: 10,
  /** Frames that violate the protocol until the connection is closed: clients send none. */
  invalidFrames: 20,
  /** Rejected streams until the connection is closed. */
  rejectedStreams: 100,
  /**
   * Streams that one connection opens and resets immediately (rapid reset): beyond it the connection is
   * closed.
   */
  resetBurst: 1000,
  /** How many of those it regains per second. */
  resetRate: 33,
  /** Entries of one SETTINGS frame: the protocol defines 7. */
  settings: 32,
} as const;

/** Limits of what is read of a request, and of what is kept about its client. */
export const REQUEST_LIMITS = {
  /** An RPC message, decompressed. The largest has 16 peer URLs of 300 bytes: 5 KB. */
  rpcMessageBytes: 64 * KiB,
  /** The form of a v2 request: a member with 16 percent-encoded peer URLs takes a quarter of this. */
  v2BodyBytes: 64 * KiB,
  /** Time to receive that form. A node gives up after 5 s. */
  v2BodyTimeout: 10 * seconds,
  /** The form of the page: a percent-encoded description of 256 characters takes less than half of it. */
  pageFormBytes: 8 * KiB,
  /** Time between messages of a quiet watch: below the idle timeouts of HAProxy (50 s) and nginx (60 s). */
  heartbeatInterval: 45 * seconds,
  /** Addresses read from X-Forwarded-For or Forwarded: more than any chain of proxies has. */
  forwardedHops: 16,
  /**
   * Remembered clients: 10 to 20 MB. Beyond it some without open requests or connections are forgotten and
   * regain their burst.
   */
  clients: 100_000,
  /**
   * How long new connections of a client are dropped after one was closed for flooding: the next would flood
   * too.
   */
  floodPause: 2 * seconds,
  /** Connections of one client above its limit that receive an error; further ones are dropped. */
  clientRefusals: 20,
  /** The suggested retry delay where it is not known when there is room. */
  clientPause: 5 * seconds,
  /** Connections to --metrics-addr: a scraper or two, and probes. */
  metricsConnections: 100,
  /** Log output that its reader has not taken: further lines are dropped. */
  unwrittenLogBytes: 16 * MiB,
  /** The file of --config: every setting with a page of comments takes a tenth of it. */
  configFileBytes: 64 * KiB,
} as const;

/** Limits of etcd's v2 dialect. */
export const V2_LIMITS = {
  /**
   * Registrations of a token that are kept, as rendered, for the nodes waiting for it: those of the largest
   * cluster. Nodes that wait from further back read them from the store.
   */
  feedBytes: 512 * KiB,
  /** The same for all tokens together: beyond it each token keeps only its latest. */
  allFeedsBytes: 32 * MiB,
} as const;

/**
 * Amounts that count as one more request of --client-requests: each is about as much work as a small request.
 */
export const WORK_LIMITS = {
  /** Bytes of a response: as many are sent in the time of a small one. */
  sentBytes: 64 * KiB,
  /**
   * Bytes of a compressed response: a list was ten times as large before, and compressing it took most of the
   * time.
   */
  compressedBytes: 4 * KiB,
  /**
   * Bytes of a page that has to be rendered. A rendered page is shared until its cluster changes or a second
   * has passed.
   */
  pageBytes: 8 * KiB,
  /**
   * Members of a list that has to be rendered, in either dialect of etcd. A rendered list is shared until its
   * cluster changes.
   */
  listedMembers: 500,
  /** Operations of a transaction. */
  operations: 32,
  /** Keys examined by all operations of a transaction. */
  keysLookedAt: 4000,
  /** Clusters examined for a page of the operators' list. */
  clustersLookedAt: 10,
  /** Watches of a stream for which progress is requested. */
  watchesAsked: 64,
  /**
   * Bytes of cached renderings, for each of the two dialects and the page: a list of the largest cluster has
   * 140 KB, its page 360 KB.
   */
  renderedBytes: 16 * MiB,
} as const;

/** Limits of the operators' list of clusters. */
export const LIST_LIMITS = {
  /** Clusters of a page without a requested size: a few screens. */
  clusters: 50,
  /** The largest size of a page. Pages of the largest clusters end earlier. */
  mostClusters: 200,
  /**
   * Clusters examined for a page, whether or not they match its filters: 10 to 20 ms of the embedded store.
   * The page ends there and is then short.
   */
  clustersPerPage: 1000,
  /**
   * Bytes of the clusters examined for a page: members' names are far smaller, and stay below the 4 MB that
   * gRPC clients accept.
   */
  pageBytes: 2 * MiB,
} as const;

/** Limits of etcd's v3 dialect. */
export const V3_LIMITS = {
  /** Watches on one stream: an etcd client puts all of its watches on one. */
  watchesPerStream: 1000,
  /**
   * Those of them whose token has ended: they wait in vain and do not count towards the limits of watches. A
   * node has one watch.
   */
  endedPerStream: 8,
  /** Comparisons of a transaction, and operations of either branch: etcd's own limit. */
  operationsPerTransaction: 128,
  /**
   * Keys returned by all reads of a transaction, so that a small request cannot get an unlimited response:
   * three times the largest cluster.
   */
  keysPerTransaction: 4000,
  /**
   * How often an idle watch that requested progress, or a node's, receives it: below proxies' idle timeouts,
   * unlike etcd's 10 minutes.
   */
  progressInterval: 45 * seconds,
  /**
   * How often a put or a transaction is retried if its key changed between its read and its write. Each retry
   * means that another write succeeded, so this many clients can write one key at the same time.
   */
  attempts: 100,
} as const;

/** Limits of the store that replicas share. */
export const STORE_LIMITS = {
  /** Beyond its byte limit, the share of it that a store still accepts for existing tokens: their members. */
  bytesMargin: 0.25,
  /** Writes that wait for etcd: more would exceed what it can do in the time that callers wait. */
  etcdWaiting: 50_000,
} as const;
