import type { Event } from '../../../src/discovery/change.ts';
import type { RegisterCommand } from '../../../src/discovery/decide.ts';
import type { CreateCommand } from '../../../src/discovery/decide-create.ts';
import type { Reason } from '../../../src/discovery/errors.ts';
import type { Policy } from '../../../src/discovery/policy.ts';
import type {
  Cluster,
  Member,
  MemberId,
  Millis,
  Revision,
  Token,
  Ttl,
} from '../../../src/discovery/types.ts';
import { CLUSTER_LIMITS } from '../../../src/limits.ts';

// The rules of the service in their simplest form, without a store, concurrency or code of the core.
// The random histories compare the service with it.

export type Command =
  | { readonly call: 'create'; readonly token: Token; readonly create: CreateCommand }
  | { readonly call: 'register'; readonly token: Token; readonly register: RegisterCommand }
  | {
      readonly call: 'deregister';
      readonly token: Token;
      readonly id: MemberId;
      readonly expected: Revision | undefined;
    }
  | { readonly call: 'delete'; readonly token: Token }
  | { readonly call: 'reopen'; readonly token: Token; readonly ttl: Ttl }
  | { readonly call: 'get'; readonly token: Token }
  | { readonly call: 'list'; readonly token: Token };

export type ModelOutcome =
  | { readonly refused: Reason; readonly revision: Revision | undefined }
  | {
      readonly revision: Revision;
      readonly cluster: Cluster;
      /** Absent for reads. */
      readonly changed?: boolean;
      /** For register and deregister. */
      readonly member?: Member;
      readonly previous?: Member;
      readonly rank?: number;
    };

interface Entry {
  cluster: Cluster;
  readonly events: Event[];
  /** The cluster at each revision that changed it. */
  readonly versions: Cluster[];
}

export class Model {
  /** Revision of the last change. */
  revision: Revision;
  /** Revision before the first change. */
  readonly start: Revision;
  /** Revision of the store's response to the current command. */
  #answered: Revision;
  readonly entries = new Map<Token, Entry>();
  readonly #policy: Policy;

  constructor(policy: Policy, start: Revision) {
    this.#policy = policy;
    this.start = start;
    this.revision = start;
    this.#answered = start;
  }

  /** Runs a command. The store assigns revisions: a change gets the one in the store's response. */
  run(command: Command, now: Millis, answered: Revision): ModelOutcome {
    this.#answered = answered;
    const refused = this.#refusal(command, now);
    if (refused !== undefined) return { refused, revision: answered };
    const entry = this.entries.get(command.token);
    if (command.call === 'create') return this.#create(command.create, entry, now);
    if (entry === undefined) throw new TypeError('the model lacks a rule');
    switch (command.call) {
      case 'get':
      case 'list':
        return { revision: answered, cluster: entry.cluster };
      case 'register':
        return this.#register(command.register, entry, now);
      case 'deregister': {
        const member = entry.cluster.members.find((each) => each.id === command.id) as Member;
        const rank = entry.cluster.members.indexOf(member) + 1;
        const members = entry.cluster.members.filter((each) => each !== member);
        this.#commit(entry, { ...entry.cluster, members }, { type: 'DEREGISTERED', member }, now);
        return { revision: this.revision, cluster: entry.cluster, changed: true, member, rank };
      }
      case 'reopen': {
        const expireTime = (now + command.ttl) as Millis;
        const cluster = { ...entry.cluster, expireTime };
        this.#commit(entry, cluster, { type: 'TOKEN_REOPENED', expireTime }, now);
        return { revision: this.revision, cluster: entry.cluster, changed: true };
      }
      case 'delete':
        if (entry.cluster.deleteTime !== undefined)
          return { revision: answered, cluster: entry.cluster, changed: false };
        this.#commit(
          entry,
          { ...entry.cluster, members: [], deleteTime: now },
          { type: 'TOKEN_DELETED', removed: entry.cluster.members },
          now,
        );
        return { revision: this.revision, cluster: entry.cluster, changed: true };
    }
  }

  /** Returns the cluster of a token at a revision. */
  at(token: Token, at: Revision): Cluster | undefined {
    return this.entries.get(token)?.versions.findLast((each) => each.modRevision <= at);
  }

  hasEnded(token: Token, now: Millis): boolean {
    const cluster = this.entries.get(token)?.cluster;
    return cluster !== undefined && (cluster.deleteTime ?? cluster.expireTime) <= now;
  }

  sweep(now: Millis): number {
    let swept = 0;
    for (const [token, { cluster }] of this.entries) {
      if ((cluster.deleteTime ?? cluster.expireTime) >= now - this.#policy.retention) continue;
      this.entries.delete(token);
      swept += 1;
    }
    return swept;
  }

  #refusal(command: Command, now: Millis): Reason | undefined {
    const cluster = this.entries.get(command.token)?.cluster;
    if (cluster === undefined) {
      if (command.call !== 'create') return 'TOKEN_NOT_FOUND';
      return this.entries.size >= this.#policy.maxTokens ? 'TOO_MANY_TOKENS' : undefined;
    }
    if (command.call === 'get') return undefined;
    if (cluster.deleteTime !== undefined) return command.call === 'delete' ? undefined : 'TOKEN_DELETED';
    if (command.call === 'list') return undefined;
    if (command.call === 'reopen') return wornOut(cluster, cluster.members.length);
    if (now >= cluster.expireTime) return 'TOKEN_EXPIRED';
    switch (command.call) {
      case 'create': {
        const { size, description, askedTtl, allowRejoin } = command.create;
        const differs =
          size !== cluster.size ||
          (description !== undefined && description !== cluster.description) ||
          (askedTtl !== undefined && askedTtl !== cluster.expireTime - cluster.createTime) ||
          (allowRejoin && !cluster.allowRejoin);
        return differs ? 'TOKEN_EXISTS' : undefined;
      }
      case 'register':
        return refusedRegistration(cluster, command.register, now);
      case 'deregister': {
        const member = cluster.members.find((each) => each.id === command.id);
        if (member === undefined) return 'MEMBER_NOT_FOUND';
        if ((command.expected ?? member.modRevision) !== member.modRevision) return 'REVISION_MISMATCH';
        if (isFinal(cluster, member)) return 'CLUSTER_FORMED';
        return wornOut(cluster, cluster.members.length - 1);
      }
      default:
        return undefined;
    }
  }

  #create(command: CreateCommand, entry: Entry | undefined, now: Millis): ModelOutcome {
    if (entry !== undefined) return { revision: this.#answered, cluster: entry.cluster, changed: false };
    this.revision = this.#answered;
    const { token, size, description, allowRejoin, ttl } = command;
    const cluster: Cluster = {
      token,
      size,
      description: description ?? ('' as Cluster['description']),
      allowRejoin,
      createTime: now,
      expireTime: (now + ttl) as Millis,
      createRevision: this.revision,
      modRevision: this.revision,
      changeCount: 0,
      changeBytes: 0,
      members: [],
    };
    this.entries.set(token, { cluster, events: [], versions: [cluster] });
    return { revision: this.revision, cluster, changed: true };
  }

  #register(command: RegisterCommand, entry: Entry, now: Millis): ModelOutcome {
    const { id, name, peerUrls } = command;
    const { members } = entry.cluster;
    const previous = members.find((each) => each.id === id);
    const next = this.#answered;
    let changed = true;
    if (previous === undefined) {
      const member: Member = {
        id,
        name,
        peerUrls,
        registerTime: now,
        createRevision: next,
        modRevision: next,
        version: 1,
      };
      const cluster = { ...entry.cluster, members: [...members, member] };
      const would = command.mode === 'CREATE_OR_REPLACE' && ({ wouldReplace: true } as const);
      this.#commit(entry, cluster, { type: 'REGISTERED', member, ...would }, now);
    } else if (isSame(previous, command)) {
      changed = false;
    } else {
      const member: Member = {
        ...previous,
        name,
        peerUrls,
        modRevision: next,
        version: previous.version + 1,
      };
      const cluster = {
        ...entry.cluster,
        members: members.map((each) => (each === previous ? member : each)),
      };
      this.#commit(entry, cluster, { type: 'REPLACED', member, previous }, now);
    }
    const place = entry.cluster.members.findIndex((each) => each.id === id);
    return {
      revision: this.#answered,
      cluster: entry.cluster,
      changed,
      member: entry.cluster.members[place] as Member,
      rank: place + 1,
      ...(changed && previous !== undefined ? { previous } : {}),
    };
  }

  #commit(
    entry: Entry,
    cluster: Cluster,
    event: Pick<Event, 'type' | 'member' | 'previous' | 'wouldReplace' | 'removed' | 'expireTime'>,
    time: Millis,
  ): void {
    this.revision = this.#answered;
    const isAssembling = cluster.members.length < cluster.size;
    const isCut = isAssembling && (event.type === 'REPLACED' || event.type === 'DEREGISTERED');
    const hadFormed = event.type === 'TOKEN_DELETED' && (event.removed?.length ?? 0) >= cluster.size;
    const changeCount = entry.cluster.changeCount + 1;
    entry.cluster = {
      ...cluster,
      changeCount,
      changeBytes: entry.cluster.changeBytes + bytesOf(event),
      modRevision: this.revision,
      ...(isCut && { cutRevision: this.revision }),
      ...(hadFormed && { formed: true }),
    };
    entry.versions.push(entry.cluster);
    const count = cluster.members.length;
    entry.events.push({
      ...event,
      revision: this.revision,
      time,
      complete: count >= cluster.size,
      memberCount: Math.min(count, cluster.size),
      standbyCount: Math.max(count - cluster.size, 0),
    });
  }
}

/**
 * Returns the bytes of a change: a hundred, plus the texts of each member, with each peer URL twice and the name with
 * each.
 */
function bytesOf({ member, previous, removed = [] }: Pick<Event, 'member' | 'previous' | 'removed'>): number {
  const members = [member, previous, ...removed].filter((each) => each !== undefined);
  const texts = members.flatMap(({ id, name, peerUrls }) => [
    id,
    name,
    ...peerUrls.flatMap((url) => [name, url, url]),
  ]);
  return 100 + Buffer.byteLength(texts.join(''));
}

function refusedRegistration(cluster: Cluster, command: RegisterCommand, now: Millis): Reason | undefined {
  const { id, mode, expected } = command;
  const isFull = cluster.members.length >= cluster.size;
  const own = cluster.members.find((each) => each.id === id);
  if (own === undefined) {
    if (mode === 'REPLACE' || expected !== undefined) return 'MEMBER_NOT_FOUND';
    const taken = takenBy(cluster, command);
    if (taken !== undefined) return taken;
    if (!isFull) return undefined;
    if (command.whenFull === 'REFUSE') return 'CLUSTER_FULL';
    if (cluster.members.length - cluster.size >= CLUSTER_LIMITS.standbys) return 'TOO_MANY_STANDBYS';
    return wornOut(cluster, cluster.members.length + 1);
  }
  if (mode !== 'CREATE' && isSame(own, command)) return undefined;
  if (expected !== undefined && expected !== own.modRevision) return 'REVISION_MISMATCH';
  if (isSame(own, command)) {
    const isRejoin =
      Math.abs(now - own.registerTime) > CLUSTER_LIMITS.retryWindow && isFull && !cluster.allowRejoin;
    return isRejoin ? 'REJOIN_REFUSED' : undefined;
  }
  if (mode === 'CREATE') {
    return own.name !== command.name && shareUrl(own, command) ? 'PEER_URL_TAKEN' : 'MEMBER_EXISTS';
  }
  if (isFinal(cluster, own)) return 'CLUSTER_FORMED';
  return takenBy(cluster, command) ?? wornOut(cluster, cluster.members.length);
}

function isFinal({ members, size }: Cluster, member: Member): boolean {
  return members.length >= size && members.indexOf(member) < size;
}

/** Returns TOKEN_WORN_OUT if a change that leaves this many members uses up what is reserved for the free places. */
function wornOut({ size, changeCount }: Cluster, count: number): Reason | undefined {
  const most = Math.max(CLUSTER_LIMITS.changesPerToken, size * CLUSTER_LIMITS.changesPerPlace);
  return changeCount + 1 + Math.max(0, size - count) > most ? 'TOKEN_WORN_OUT' : undefined;
}

function takenBy(cluster: Cluster, command: RegisterCommand): Reason | undefined {
  for (const other of cluster.members) {
    if (other.id === command.id) continue;
    if (other.name === command.name) return 'NAME_TAKEN';
    if (shareUrl(other, command)) return 'PEER_URL_TAKEN';
  }
  return undefined;
}

function shareUrl(member: Member, command: RegisterCommand): boolean {
  const wanted = command.peerUrls.map((url) => url.toLowerCase());
  return member.peerUrls.some((url) => wanted.includes(url.toLowerCase()));
}

function isSame(member: Member, command: RegisterCommand): boolean {
  return member.name === command.name && member.peerUrls.join(' ') === command.peerUrls.join(' ');
}
