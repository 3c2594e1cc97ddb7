import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Watch } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient } from '../../../src/client/node.ts';
import { issueCredential } from '../../../src/server/clients/auth-file.ts';
import { type RunningService, startService } from '../../support/service.ts';
import { waitFor } from '../../support/wait.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const [stays, leaves] = [issueCredential('stays'), issueCredential('leaves')];
type Credential = typeof stays;
const bearerOf = ({ secret }: Credential) => ({ Authorization: `Bearer ${secret}` });

/** Something open, and how it has ended once it has. */
interface Open {
  readonly ended: () => boolean;
  readonly end: Promise<unknown>;
  readonly leave: () => void;
}

function open(run: (signal: AbortSignal) => Promise<unknown>): Open {
  const abort = new AbortController();
  let ended = false;
  const end = run(abort.signal)
    .catch((thrown: unknown) => thrown)
    .finally(() => {
      ended = true;
    });
  return { ended: () => ended, end, leave: () => abort.abort() };
}

type Opens = (service: RunningService, token: string, as: Credential) => Open;

const watchMembers =
  (headers: (as: Credential) => Record<string, string>, tokenOf: (token: string, as: Credential) => string) =>
  (service: RunningService, token: string, as: Credential): Open =>
    open(async (signal) => {
      const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
      const asked = { token: tokenOf(token, as) };
      for await (const _ of client.watchMembers(asked, { signal, headers: headers(as) }));
    });

/** What a caller can have open for long. */
const OPENS: Readonly<Record<string, Opens>> = {
  'a wait of the v2 dialect': (service, token, as) =>
    open(async (signal) => {
      const answer = await fetch(`${service.url}/${token}?wait=true&recursive=true`, {
        signal,
        headers: bearerOf(as),
      });
      assert.equal(answer.status, 200);
      await answer.text();
    }),
  'a wait of the v2 dialect, with the secret behind the token': (service, token, as) =>
    open(async (signal) => {
      const answer = await fetch(`${service.url}/${token}:${as.secret}?wait=true&recursive=true`, { signal });
      assert.equal(answer.status, 200);
      await answer.text();
    }),
  'a watch of the v3 dialect': (service, token, as) =>
    open(async (signal) => {
      const client = createClient(Watch, createGrpcTransport({ baseUrl: service.url }));
      const requests = async function* () {
        const key = Buffer.from(`/_etcd/registry/${token}/members`);
        yield { requestUnion: { case: 'createRequest' as const, value: { key } } };
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      };
      const session = Buffer.from(`${as === stays ? 'stays' : 'leaves'}:${as.secret}`).toString('base64');
      for await (const { canceled } of client.watch(requests(), { signal, headers: { token: session } })) {
        assert.equal(canceled, false);
      }
    }),
  WatchMembers: watchMembers(bearerOf, (token) => token),
  'WatchMembers, with the secret behind the token': watchMembers(
    () => ({}),
    (token, as) => `${token}:${as.secret}`,
  ),
};

/** A service that knows both, with all of that open for each of them. */
async function everythingOpen(t: TestContext, name: string) {
  const file = join(directory, name);
  writeFileSync(file, `${stays.line}\n${leaves.line}\n`);
  const service = await startService({}, { auth: { mode: 'all', file } });
  const client = createDiscoveryClient(service.url, { headers: bearerOf(stays) });
  const token = (await client.createToken({ size: 3 })).cluster?.token ?? '';
  const opened = (as: Credential) =>
    Object.entries(OPENS).map(([what, begin]) => ({ what, ...begin(service, token, as) }));
  const all = { stays: opened(stays), leaves: opened(leaves) };
  const { length } = Object.keys(OPENS);
  t.after(async () => {
    for (const { leave } of [...all.stays, ...all.leaves]) leave();
    await service.stop();
  });
  // The waits of the v2 dialect share a watch of the core.
  await waitFor('all of them to be open', async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    return metrics.includes(`discovery_watches ${2 * length}`);
  });
  return { file, service, client, token, all };
}

function logOf({ logged }: RunningService): Array<Record<string, unknown>> {
  return logged.map((line) => JSON.parse(line) as Record<string, unknown>);
}

suite('a caller that is taken out of the file of known callers', () => {
  test('has nothing open any more, and others keep what they have', async (t) => {
    const { file, service, client, token, all } = await everythingOpen(t, 'one');
    writeFileSync(file, `${stays.line}\n`);
    for (const { what, ended } of all.leaves) await waitFor(`the end of ${what}`, ended);
    const told = await Promise.all(all.leaves.map(({ end }) => end));
    for (const thrown of told) assert.ok(thrown instanceof Error, 'a wait that ends so is no empty answer');
    const ofRpcs = told.filter((thrown) => thrown instanceof ConnectError);
    assert.deepEqual(
      ofRpcs.map(({ code }) => code),
      [Code.Unauthenticated, Code.Unauthenticated, Code.Unauthenticated],
    );
    assert.deepEqual(
      all.stays.filter(({ ended }) => ended()).map(({ what }) => what),
      [],
    );
    // The waits of others are answered, though it was the first of them that is gone.
    await client.register({ token, memberId: '1', name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] });
    for (const { what, ended } of all.stays.slice(0, 2)) await waitFor(`the answer to ${what}`, ended);
    const over = logOf(service).find(({ ended }) => ended !== undefined);
    assert.equal(over?.['ended'], all.leaves.length);
  });

  for (const [how, takeAll] of [
    ['emptied', (file: string) => writeFileSync(file, '')],
    ['left with remarks alone', (file: string) => writeFileSync(file, '# nobody\n')],
    ['deleted', (file: string) => unlinkSync(file)],
  ] as const) {
    test(`is one of all when the file is ${how}, which the log tells as an error`, async (t) => {
      const { file, service, token, all } = await everythingOpen(t, how);
      takeAll(file);
      for (const { what, ended } of [...all.leaves, ...all.stays]) await waitFor(`the end of ${what}`, ended);
      const asked = await fetch(`${service.url}/${token}`, { headers: bearerOf(stays) });
      assert.equal(asked.status, 401);
      const errors = logOf(service).filter(({ level }) => level === 'error');
      assert.deepEqual(
        errors.map(({ file: named }) => named),
        [file],
      );
      appendFileSync(file, `${stays.line}\n`);
      await waitFor('callers to be known again', async () => {
        return (await fetch(`${service.url}/${token}`, { headers: bearerOf(stays) })).ok;
      });
    });
  }
});
