import { isDeepStrictEqual } from 'node:util';
import type { Transaction } from 'lmdb';
import { eventBytes, tokenBytes } from '../../../discovery/bytes.ts';
import { type Event, replay } from '../../../discovery/change.ts';
import { endTime } from '../../../discovery/cluster.ts';
import { peerAddress } from '../../../discovery/parse.ts';
import { type Cluster, revision, type Token } from '../../../discovery/types.ts';
import { counted } from '../../../values/counted.ts';
import { tokenProblem } from '../../../values/token-problem.ts';
import { decodeEvent, decodeStoredCluster, linkOf } from '../codec.ts';
import { checkCounters } from '../counters.ts';
import { readFault } from '../fault.ts';
import { checkFormat } from '../open.ts';
import type { RecordEntry } from '../record-table.ts';
import {
  type EventKey,
  MARK_REVISION,
  PLACED_SINCE,
  placeKey,
  SEALED_SINCE,
  sumOfEnd,
  sumOfPlace,
  type Tables,
} from '../tables.ts';

/** Contents is a summary of a data file. */
export interface Contents {
  clusters: number;
  members: number;
  events: number;
  readonly revision: number;
  /** Problems with the records, one line each. Tokens are shortened. */
  readonly problems: string[];
}

/**
 * Reads every record as of one moment, and checks that records, events, the index of end times and the
 * revision counter agree. Throws if the data was not written by this program, or cannot be read at all.
 */
export function checkRecords(tables: Tables, directory: string): Contents {
  checkFormat(tables.meta, directory);
  const transaction = tables.env.useReadTransaction();
  try {
    return new Reading(tables, transaction).check();
  } finally {
    transaction.done();
  }
}

type EventEntry = RecordEntry<EventKey>;

class Reading {
  readonly #tables: Tables;
  readonly #at: { transaction: Transaction };
  readonly #events: Iterator<EventEntry>;
  #next: IteratorResult<EventEntry>;
  readonly #contents: Contents;
  readonly #format: number;
  #bytes = 0;

  constructor(tables: Tables, transaction: Transaction) {
    this.#tables = tables;
    this.#at = { transaction };
    this.#events = tables.events.getRange(this.#at)[Symbol.iterator]();
    this.#next = this.#events.next();
    const counter = tables.meta.get('revision', this.#at);
    this.#format = Number(tables.meta.get('formatVersion', this.#at));
    this.#contents = {
      clusters: 0,
      members: 0,
      events: 0,
      revision: typeof counter === 'number' ? counter : 0,
      problems:
        typeof counter === 'number' || counter === undefined ? [] : ['the revision counter is not a number'],
    };
  }

  check(): Contents {
    const { clusters, ends } = this.#tables;
    // Both are ordered by token, so each cluster's events come next.
    for (const { key, read } of clusters.getRange(this.#at)) {
      const token = key as Token;
      const events = this.#takeEvents(token);
      this.#contents.clusters += 1;
      const problem = this.#tried(() => this.#cluster(token, read(), events));
      if (problem !== undefined) this.#problem(token, problem);
    }
    // After every character of a token.
    this.#strayEvents('\u007f');
    this.#sums();
    this.#places();
    const due = ends.getKeysCount(this.#at);
    if (due !== this.#contents.clusters) {
      this.#contents.problems.push(
        `the index of end times has ${due} entries, but there are ${this.#contents.clusters} tokens`,
      );
    }
    const said = this.#tables.meta.get('bytes', this.#at);
    // Unreadable records are missing from the sums.
    if (this.#format >= 4 && this.#contents.problems.length === 0 && said !== this.#bytes)
      this.#contents.problems.push(
        `the tokens use ${this.#bytes} bytes, but the counter says ${String(said)}`,
      );
    return this.#contents;
  }

  /** Checks the counters and the index. */
  #sums(): void {
    if (this.#format < SEALED_SINCE) return;
    const problem = this.#tried(() => {
      checkCounters(this.#tables);
      return undefined;
    });
    if (problem !== undefined) this.#contents.problems.push(problem);
    for (const { key, value } of this.#tables.ends.getRange(this.#at)) {
      if (value === sumOfEnd(key)) continue;
      this.#problem(key[1], 'its entry in the index of end times does not match its checksum');
    }
  }

  /** Each token has a place, see `#cluster`, so there must be as many places as tokens. */
  #places(): void {
    if (this.#format < PLACED_SINCE) return;
    let count = 0;
    for (const { key, value } of this.#tables.places?.getRange(this.#at) ?? []) {
      count += 1;
      if (value !== sumOfPlace(key))
        this.#problem(key[2], 'its entry in the index of places does not match its checksum');
    }
    const { clusters, problems } = this.#contents;
    if (count !== clusters)
      problems.push(`the index of places has ${count} entries, but there are ${clusters} tokens`);
  }

  #cluster(token: Token, value: unknown, taken: readonly EventEntry[]): string | undefined {
    const { cluster, compactRevision } = decodeStoredCluster(token, value);
    this.#contents.members += cluster.members.length;
    this.#bytes += tokenBytes(cluster);
    const { ends } = this.#tables;
    if (ends.get([endTime(cluster), token], this.#at) === undefined)
      return 'it is not in the index of end times';
    const isPlaced = this.#tables.places?.get(placeKey(cluster), this.#at) !== undefined;
    if (!isPlaced && this.#format >= PLACED_SINCE) return 'it is not in the index of places';
    const isMarked = taken[0]?.key[1] === MARK_REVISION;
    if (isMarked !== this.#format >= SEALED_SINCE) return 'its mark is missing';
    const entries = isMarked ? taken.slice(1) : taken;
    if (entries.length !== cluster.changeCount)
      return `it has ${counted(entries.length, 'event')}, expected ${cluster.changeCount}`;
    const records = entries.map((entry) => entry.read());
    const events = records.map((record, i) => decodeEvent(revision(entries[i]?.key[1] ?? 0), record));
    return (
      wrongRevisions(cluster, events, compactRevision, this.#contents.revision) ??
      (isMarked ? wrongLinks(events, records) : undefined) ??
      wrongMembers(cluster, events, compactRevision, this.#format)
    );
  }

  /** Returns the events of a token, and those of unknown tokens before them. */
  #takeEvents(token: Token): EventEntry[] {
    this.#strayEvents(token);
    const taken: EventEntry[] = [];
    for (; this.#next.done !== true && this.#next.value.key[0] === token; this.#next = this.#events.next()) {
      taken.push(this.#next.value);
    }
    this.#contents.events += taken.filter(({ key }) => key[1] !== MARK_REVISION).length;
    return taken;
  }

  #strayEvents(before: string): void {
    for (; this.#next.done !== true && this.#next.value.key[0] < before; this.#next = this.#events.next()) {
      this.#problem(this.#next.value.key[0], 'it has an event but no record');
    }
  }

  #tried(check: () => string | undefined): string | undefined {
    try {
      return check();
    } catch (error) {
      return readFault(error).message;
    }
  }

  #problem(token: string, problem: string): void {
    this.#contents.problems.push(tokenProblem(token, problem));
  }
}

/** Each event names the previous one. */
function wrongLinks(events: readonly Event[], records: readonly unknown[]): string | undefined {
  const isLinked = events.every((_, i) => i === 0 || linkOf(records[i]) === events[i - 1]?.revision);
  return isLinked ? undefined : 'its events are not linked in sequence';
}

/** Revisions only increase, from the token's creation to its last change. */
function wrongRevisions(
  cluster: Cluster,
  events: readonly Event[],
  compactRevision: number,
  counter: number,
): string | undefined {
  let last = cluster.createRevision > compactRevision ? Number(cluster.createRevision) : compactRevision;
  for (const event of events) {
    if (event.revision <= last) return 'its events are not in order';
    last = Number(event.revision);
  }
  if (Number(cluster.modRevision) !== last) return 'the revision of its record is not that of its last event';
  return last > counter ? `its revision is ${last}, but the counter is at ${counter}` : undefined;
}

function wrongMembers(
  cluster: Cluster,
  events: readonly Event[],
  compactRevision: number,
  format: number,
): string | undefined {
  const taken = new Set<string>();
  let last = 0n;
  for (const { id, name, peerUrls, createRevision } of cluster.members) {
    if (createRevision <= last) return 'its members are not in order';
    last = createRevision;
    for (const key of [`id ${id}`, `name ${name}`, ...peerUrls.map(peerAddress)]) {
      if (taken.has(key)) return 'two of its members share an id, a name or a peer URL';
      taken.add(key);
    }
  }
  if (compactRevision > 0) return undefined;
  const { cutRevision, formed, ...bare } = cluster;
  const replayed = events.reduce(replay, { ...bare, members: [] });
  if (!isDeepStrictEqual(replayed.members, cluster.members)) return 'its events do not produce its members';
  // Older formats derive these from the events.
  const differs = format >= 3 && (replayed.cutRevision !== cutRevision || replayed.formed !== formed);
  if (differs) return 'its events and its record disagree about a removed member or its end';
  const bytes = events.reduce((sum, event) => sum + eventBytes(event), 0);
  return format >= 4 && bytes !== cluster.changeBytes
    ? 'its events and its record disagree about the size in bytes'
    : undefined;
}
