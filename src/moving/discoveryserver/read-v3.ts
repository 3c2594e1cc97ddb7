import { rootCertificates } from 'node:tls';
import { Etcd3 } from 'etcd3';
import { AGES, ageOf, type OldKey, TREE, treePathOf } from './keys.ts';

/** The number of keys in one response of etcd. */
const KEYS_PER_READ = 1000;
/** The timeout of each read and of the connection. */
const DEADLINE_MS = 10_000;

/**
 * Reads what the Go service stored in the v3 keys of an etcd, all at one revision. Rejects if etcd cannot be
 * read.
 */
export async function readV3(url: string): Promise<{ keys: OldKey[]; createTimes: Map<string, number> }> {
  const client = new Etcd3({
    hosts: url,
    ...(url.startsWith('https:') && {
      credentials: { rootCertificate: Buffer.from(rootCertificates.join('\n')) },
    }),
    grpcOptions: { 'grpc.enable_http_proxy': 0 },
    defaultCallOptions: () => ({ deadline: Date.now() + DEADLINE_MS }),
  });
  try {
    const keys: OldKey[] = [];
    const at = { revision: '0' };
    for await (const { key, value, createRevision } of keysUnder(client, TREE, at)) {
      const path = treePathOf(key);
      if (path !== undefined) keys.push({ path, value, createRevision });
    }
    const createTimes = new Map<string, number>();
    for await (const { key } of keysUnder(client, AGES, at)) {
      const age = ageOf(key);
      if (age !== undefined) createTimes.set(...age);
    }
    return { keys, createTimes };
  } finally {
    client.close();
  }
}

interface Found {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
}

/** Yields the keys that start with a prefix, at the revision of the first read. */
async function* keysUnder(
  client: Etcd3,
  prefix: string,
  at: { revision: string },
): AsyncGenerator<Found, void, undefined> {
  // The prefix ends with a slash, and 0 is the character after it.
  const end = Buffer.from(prefix.replace(/\/$/, '0'));
  for (let from = Buffer.from(prefix); ; ) {
    const { kvs, more, header } = await client.kv.range({
      key: from,
      range_end: end,
      limit: KEYS_PER_READ,
      revision: at.revision,
    });
    if (at.revision === '0') at.revision = header.revision;
    for (const { key, value, create_revision } of kvs) {
      yield { key: key.toString(), value: value.toString(), createRevision: Number(create_revision) };
    }
    const last = kvs.at(-1)?.key;
    if (!more || last === undefined) return;
    from = Buffer.concat([last, Buffer.alloc(1)]);
  }
}
