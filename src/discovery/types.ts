declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Names a cluster, and lets its holder read and join it: never logged or labelled whole. */
export type Token = Brand<string, 'Token'>;
export type MemberId = Brand<string, 'MemberId'>;
/** A node's name, etcd's `--name`. */
export type MemberName = Brand<string, 'MemberName'>;
/** `http://host:port` or `https://host:port`, as its node wrote it. */
export type PeerUrl = Brand<string, 'PeerUrl'>;
/** How many members make a cluster complete. */
export type ClusterSize = Brand<number, 'ClusterSize'>;
export type Description = Brand<string, 'Description'>;
/** What the operator calls somebody who has credentials. */
export type CallerName = Brand<string, 'CallerName'>;
/** What a node's `--discovery` or `--discovery-token` is, without a secret. */
export type DiscoveryText = Brand<string, 'DiscoveryText'>;
/** By which a call to make a token is known again; as secret as the token, for a while. */
export type RequestId = Brand<string, 'RequestId'>;
/** A token's lifetime in ms. */
export type Ttl = Brand<number, 'Ttl'>;
/** The store's count of changes; grows by at least one with each. */
export type Revision = Brand<bigint, 'Revision'>;
/** A point in time, in ms since 1970. */
export type Millis = Brand<number, 'Millis'>;

/** What can be done with a token, from the lowest to the highest. */
export const ACCESSES = ['READ', 'JOIN', 'ADMINISTER'] as const;
export type Access = (typeof ACCESSES)[number];

/** A SHA-256 in hexadecimal: enough for secrets of 192 random bits, which nobody can guess. */
export type SecretHash = Brand<string, 'SecretHash'>;

/** The hashes of the secrets that guard a token. */
export type Locks = Readonly<Partial<Record<Access, SecretHash>>>;

/** What a node says of itself. */
export interface Registration {
  readonly id: MemberId;
  readonly name: MemberName;
  readonly peerUrls: readonly PeerUrl[];
  /** Unset: not known. */
  readonly discoveryText?: DiscoveryText;
}

/** One node that registered. */
export interface Member extends Registration {
  readonly registerTime: Millis;
  /** Ranks the member; a replacement keeps it. */
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** How many times the member was written, 1 at first. */
  readonly version: number;
  /** Where its id proves it. */
  readonly discoveryText?: DiscoveryText;
}

/** A cluster as the stores keep it: the whole record of one token. Never changed in place. */
export interface Cluster {
  readonly token: Token;
  readonly size: ClusterSize;
  readonly description: Description;
  readonly allowRejoin: boolean;
  /** Unset: whoever knows the token may do everything. */
  readonly locks?: Locks;
  /** Who made it, by the name that the operator gave the caller. Unset: not known. */
  readonly creator?: CallerName;
  readonly createTime: Millis;
  readonly expireTime: Millis;
  readonly deleteTime?: Millis;
  /** Whether a restored backup, and nobody's wish, ended it. */
  readonly closedByRestore?: true;
  /** Of the latest cut: the removal or replacement of a member that nodes may have counted. Unset: there was none. */
  readonly cutRevision?: Revision;
  /**
   * Set when it has fewer members than it once was complete with: its token was deleted, or older data has it that one
   * was taken out. It runs all the same.
   */
  readonly formed?: true;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** Changes since the token was made. */
  readonly changeCount: number;
  /** What these take, see `eventBytes`. */
  readonly changeBytes: number;
  /** Everyone who registered, by createRevision: the first `size` are ranked, the others are standbys. */
  readonly members: readonly Member[];
}

export function millis(value: number): Millis {
  return value as Millis;
}

export function revision(value: bigint | number): Revision {
  return BigInt(value) as Revision;
}
