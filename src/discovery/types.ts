declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * Token names a cluster and lets its holder read and join it. It must never be logged or used as a label in
 * full.
 */
export type Token = Brand<string, 'Token'>;
export type MemberId = Brand<string, 'MemberId'>;
/** MemberName is a node's name, etcd's `--name`. */
export type MemberName = Brand<string, 'MemberName'>;
/** PeerUrl is `http://host:port` or `https://host:port`, as its node wrote it. */
export type PeerUrl = Brand<string, 'PeerUrl'>;
/** ClusterSize is the number of members that completes a cluster. */
export type ClusterSize = Brand<number, 'ClusterSize'>;
export type Description = Brand<string, 'Description'>;
/** CallerName is the operator's name for a caller that has credentials. */
export type CallerName = Brand<string, 'CallerName'>;
/** DiscoveryText is a node's value of `--discovery` or `--discovery-token`, without a secret. */
export type DiscoveryText = Brand<string, 'DiscoveryText'>;
/**
 * RequestId identifies repetitions of a call that creates a token. For a while it is as secret as the token.
 */
export type RequestId = Brand<string, 'RequestId'>;
/** Ttl is a token's lifetime in ms. */
export type Ttl = Brand<number, 'Ttl'>;
/** Revision is the store's count of changes. Each change increases it by at least one. */
export type Revision = Brand<bigint, 'Revision'>;
/** Millis is a point in time, in ms since 1970. */
export type Millis = Brand<number, 'Millis'>;

/** ACCESSES are the accesses to a token, from lowest to highest. */
export const ACCESSES = ['READ', 'JOIN', 'ADMINISTER'] as const;
export type Access = (typeof ACCESSES)[number];

/**
 * SecretHash is a SHA-256 in hexadecimal. A plain hash is enough for secrets of 192 random bits, which cannot
 * be guessed.
 */
export type SecretHash = Brand<string, 'SecretHash'>;

/** Locks are the hashes of the secrets that guard a token. */
export type Locks = Readonly<Partial<Record<Access, SecretHash>>>;

/** Registration is what a node says about itself. */
export interface Registration {
  readonly id: MemberId;
  readonly name: MemberName;
  readonly peerUrls: readonly PeerUrl[];
  /** Unset: not known. */
  readonly discoveryText?: DiscoveryText;
}

/** Member is one node that registered. */
export interface Member extends Registration {
  readonly registerTime: Millis;
  /** Determines the rank of the member. A replacement does not change it. */
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** The number of times that the member was written, starting at 1. */
  readonly version: number;
  /** Set if the member's ID proves it. */
  readonly discoveryText?: DiscoveryText;
}

/** Cluster is the complete record of one token, as the stores keep it. It is immutable. */
export interface Cluster {
  readonly token: Token;
  readonly size: ClusterSize;
  readonly description: Description;
  readonly allowRejoin: boolean;
  /** Unset: anyone who has the token may do everything. */
  readonly locks?: Locks;
  /** The name that the operator gave to the creator of the token. Unset: not known. */
  readonly creator?: CallerName;
  readonly createTime: Millis;
  readonly expireTime: Millis;
  readonly deleteTime?: Millis;
  /** Whether restoring a backup, rather than a caller, deleted the token. */
  readonly closedByRestore?: true;
  /**
   * The revision of the latest cut: the removal or replacement of a member that nodes may have counted.
   * Unset: there was none.
   */
  readonly cutRevision?: Revision;
  /**
   * Set when the cluster was complete but now has fewer members: its token was deleted, or an older version
   * removed a member. The etcd cluster keeps running.
   */
  readonly formed?: true;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** The number of changes since the token was created. */
  readonly changeCount: number;
  /** The bytes of these changes, see `eventBytes`. */
  readonly changeBytes: number;
  /** All registered nodes by createRevision: the first `size` are the members, the others the standbys. */
  readonly members: readonly Member[];
}

export function millis(value: number): Millis {
  return value as Millis;
}

export function revision(value: bigint | number): Revision {
  return BigInt(value) as Revision;
}
