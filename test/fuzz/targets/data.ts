// Data read from files and from databases that others can write: exports, keys of the Go service, records.

import assert from 'node:assert/strict';
import { DiscoveryError } from '../../../src/discovery/errors.ts';
import {
  parseChosenToken,
  parseDescription,
  parseMemberId,
  parseMemberName,
  parsePeerUrls,
  parseToken,
  peerAddress,
} from '../../../src/discovery/parse.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { Cluster } from '../../../src/discovery/types.ts';
import { millis, revision, type Token } from '../../../src/discovery/types.ts';
import { formatValue, parseValue } from '../../../src/etcd/value.ts';
import { ageOf, clustersOf, type OldKey, treePathOf } from '../../../src/moving/discoveryserver/keys.ts';
import { clusterLine, parseLine } from '../../../src/moving/format.ts';
import { nextStep } from '../../../src/moving/moved.ts';
import { parseCluster, type RawCluster } from '../../../src/moving/parse.ts';
import { fold, type LogEntry } from '../../../src/store/etcd/log/cluster-log.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import {
  decodeEvent,
  decodeStoredCluster,
  encodeCluster,
  encodeEvent,
  linkOf,
} from '../../../src/store/lmdb/codec.ts';
import { mutatedJson } from '../json.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

const T = 't' as Token;

const model: Target = {
  name: 'model',
  words:
    `http://10.0.0.1:2380 https://[::1]:2380 http://h:1 HTTP://H:65535 infra1 :0 :65536 discovery.v1.Service new
    _config .. ~ 8e9e05c52164694d`.split(/\s+/),
  /** Reads a text as each kind of name in the model, and its lines as peer URLs. */
  check(input) {
    const text = input.toString();
    accepted(() => parseToken(text), /^[A-Za-z0-9._~-]{1,128}$/);
    accepted(() => parseChosenToken(text, DEFAULT_POLICY), /^(?!_)[A-Za-z0-9._~-]{1,128}$/);
    accepted(() => parseMemberId(text), /^(?!_)[A-Za-z0-9._~-]{1,64}$/);
    accepted(() => parseDescription(text), /^\P{Cc}{0,256}$/u);
    const name = accepted(() => parseMemberName(text), /^[^\s,=\p{Cc}]{1,253}$/u);
    const peerUrls = accepted(() => parsePeerUrls(text.split('\n')));
    for (const url of peerUrls ?? []) assert.match(url, /^https?:\/\/[^/?#@\s,=]+:\d{1,5}$/i);
    assert.equal(new Set(peerUrls?.map(peerAddress)).size, peerUrls?.length ?? 0);
    const member = { name: name ?? 'infra1', peerUrls: peerUrls ?? ['http://a:1'] };
    assert.deepEqual(parseValue(formatValue(member)), member, 'accepted values fit in --initial-cluster');
  },
};

/** Returns the result of a parser of the model, or undefined if it rejects the text properly. */
function accepted<T>(parse: () => T, pattern?: RegExp): T | undefined {
  let value: T;
  try {
    value = parse();
  } catch (error) {
    assertRefusal(error, 'INVALID_ARGUMENT');
    return undefined;
  }
  if (pattern !== undefined) assert.match(value as string, pattern);
  return value;
}

function assertRefusal(error: unknown, reason: string): void {
  if (!(error instanceof DiscoveryError)) throw error;
  assert.equal(error.reason, reason);
  assertFit(error.message);
}

const jsonWords =
  `token size description allowRejoin locks createTime expireTime members id name peerUrls registerTime
  READ JOIN 2026-01-31T12:00:00.000Z 2026-02-30T00:00:00Z +010000-01-01T00:00:00.000Z http://10.0.0.1:2380 infra1
  format version end clusters ${'ab'.repeat(32)}`.split(/\s+/);

const exportLine: Target = {
  name: 'export-line',
  words: jsonWords,
  mutate: (input, random) => Buffer.from(mutatedJson(input.toString(), random, jsonWords)),
  check(input) {
    const line = parseLine(input.toString());
    if (typeof line === 'string') return assertFit(line);
    if (line.type === 'CLUSTER') assertImport(line.cluster);
  },
};

const NOW = millis(1e12);

/** Asserts that imported data can be written, exported and imported again unchanged. */
function assertImport(raw: RawCluster): void {
  const moved = parseCluster(raw, DEFAULT_POLICY, NOW);
  if (typeof moved === 'string') return assertFit(moved);
  assert.equal(nextStep(undefined, moved).type, 'WRITE');
  const revisions = { createRevision: revision(1), modRevision: revision(1) };
  const members = moved.members.map((member) => ({ ...member, ...revisions, version: 1 }));
  const again = parseLine(
    clusterLine({ ...moved, ...revisions, changeCount: members.length, changeBytes: 0, members }).trimEnd(),
  );
  assert.ok(typeof again === 'object' && again.type === 'CLUSTER');
  assert.deepEqual(parseCluster(again.cluster, DEFAULT_POLICY, NOW), { ...moved, isAgeGuessed: false });
}

const oldKeys: Target = {
  name: 'discoveryserver-keys',
  words:
    `/discovery.etcd.io/registry/ /discovery.etcd.io/registry/003/k//t/_config/size /discoverygc/ 002/k// 001/k//t/
    2026-11-23T04:16:29Z/ t /1/_etcd/registry/ _config/size infra1=http://10.0.0.1:2380 = 3`.split(/\s+/),
  /** Lines of a key, a space and its value. */
  check(input) {
    const keys: OldKey[] = [];
    const createTimes = new Map<string, number>();
    for (const [i, line] of input.toString().split('\n').entries()) {
      const [, key = '', value = ''] = /^(\S*) ?(.*)$/s.exec(line) ?? [];
      const path = treePathOf(key);
      if (path !== undefined) keys.push({ path, value, createRevision: i });
      const age = ageOf(key);
      if (age !== undefined) createTimes.set(...age);
    }
    for (const { where, cluster } of clustersOf(keys, { createTimes, now: NOW, ttl: 1e9 })) {
      assertFit(where);
      if (typeof cluster === 'string') assertFit(cluster);
      else {
        const moved = parseCluster(cluster, DEFAULT_POLICY, NOW);
        if (typeof moved === 'string') assertFit(moved);
      }
    }
  },
};

const recordWords =
  `nonce type time after count expireTime member previous REGISTERED REPLACED DEREGISTERED TOKEN_DELETED
  TOKEN_REOPENED id name peerUrls registerTime createRevision modRevision version size description allowRejoin locks
  READ http://10.0.0.1:2380 infra1`.split(/\s+/);

const etcdRecords: Target = {
  name: 'etcd-records',
  words: recordWords,
  mutate: (input, random) => {
    const lines = input.toString().split('\n');
    const at = random.between(0, lines.length - 1);
    lines[at] = mutatedJson(lines[at] ?? '', random, recordWords);
    return Buffer.from(lines.join('\n'));
  },
  /** The log of a token, one record per line. Another program may have written to etcd. */
  check(input) {
    const lines = input.toString('latin1').split('\n');
    const entries: LogEntry[] = lines.map((line, number) => ({
      number,
      value: Buffer.from(line, 'latin1'),
      revision: revision(10 + number),
    }));
    undamaged(() => {
      const folded = fold(T, entries);
      assert.ok(folded !== undefined);
      assertCluster(folded.record.cluster);
      for (const { member, previous } of folded.events)
        for (const each of [member, previous]) assertMember(each);
    });
    const keys = new Keys('/p');
    for (const line of lines) keys.parseLog(Buffer.from(line, 'latin1'));
  },
};

const lmdbRecords: Target = {
  name: 'lmdb-records',
  words: recordWords,
  mutate: (input, random) => Buffer.from(mutatedJson(input.toString(), random, recordWords)),
  /** A record as unpacked by the store, in JSON. */
  check(input) {
    let stored: unknown;
    try {
      stored = JSON.parse(input.toString());
    } catch {
      return;
    }
    undamaged(() => {
      const record = decodeStoredCluster(T, stored);
      assertCluster(record.cluster);
      assert.deepEqual(decodeStoredCluster(T, encodeCluster(record)), record);
    });
    undamaged(() => {
      const event = decodeEvent(revision(7), stored);
      for (const member of [event.member, event.previous, ...(event.removed ?? [])]) assertMember(member);
      const record = encodeEvent(event, revision(5));
      assert.deepEqual([decodeEvent(revision(7), record), linkOf(record)], [event, 5n]);
    });
  },
};

/** Asserts that data matches its types or is reported as damaged. */
function undamaged(read: () => void): void {
  try {
    read();
  } catch (error) {
    assertRefusal(error, 'INTERNAL');
  }
}

function assertCluster(cluster: Cluster): void {
  const {
    size,
    description,
    allowRejoin,
    locks = {},
    createTime,
    expireTime,
    deleteTime = 0,
    members,
  } = cluster;
  for (const number of [size, createTime, expireTime, deleteTime]) assert.ok(Number.isSafeInteger(number));
  assert.equal(typeof description, 'string');
  assert.equal(typeof allowRejoin, 'boolean');
  for (const hash of Object.values(locks)) assert.match(hash, /^[0-9a-f]{64}$/);
  for (const member of members) assertMember(member);
}

function assertMember(member: Cluster['members'][number] | undefined): void {
  if (member === undefined) return;
  const { id, name, peerUrls, registerTime, createRevision, modRevision, version } = member;
  for (const text of [id, name, ...peerUrls]) assert.equal(typeof text, 'string');
  for (const number of [registerTime, version]) assert.ok(Number.isSafeInteger(number));
  for (const at of [createRevision, modRevision]) assert.equal(typeof at, 'bigint');
}

export const DATA_TARGETS: readonly Target[] = [model, exportLine, oldKeys, etcdRecords, lmdbRecords];
