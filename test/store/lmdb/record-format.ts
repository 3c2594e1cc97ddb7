// Records the output of the embedded store in test/golden/embedded-format-6.mdb.gz, which the program must always be
// able to read.
// Run it by hand, after a build, when the format is new: node dist/test/store/lmdb/record-format.js

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hashSecret } from '../../../src/discovery/access.ts';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import { type CallerName, millis } from '../../../src/discovery/types.ts';
import { openLmdbStore } from '../../../src/store/lmdb/store.ts';
import { create, memberId, node, size, token } from '../support/commands.ts';

const path = mkdtempSync(join(tmpdir(), 'etcd-discovery-record-'));
const store = await openLmdbStore({ path, policy: DEFAULT_POLICY });
const discovery = new Discovery(store, DEFAULT_POLICY, () => millis(Date.parse('2026-11-29T12:00:00Z')));
const caller = { mayCreate: true, mayUse: true, proof: hashSecret('a secret') };

// One at a time, for a fixed order of revisions.
const cut = token('cut');
await discovery.createToken(create(cut, { ...size(3), creator: 'ci' as CallerName }));
for (const n of [1, 2]) await discovery.register(cut, node(n));
await discovery.register(cut, node(2, { mode: 'REPLACE', peerUrls: node(3).peerUrls }));
await discovery.deregister(cut, memberId('id1'), undefined);
await discovery.register(cut, node(1));

const guarded = token('guarded');
await discovery.createToken(create(guarded, { ...size(1), locks: { JOIN: hashSecret('a secret') } }));
await discovery.register(guarded, node(1), caller);
await discovery.register(guarded, node(2, { whenFull: 'STANDBY' }), caller);

const ended = token('ended');
await discovery.createToken(create(ended, size(1)));
await discovery.register(ended, node(1));
await discovery.deleteToken(ended);

await store.close();
writeFileSync('test/golden/embedded-format-6.mdb.gz', gzipSync(readFileSync(join(path, 'data.mdb'))));
rmSync(path, { recursive: true });
