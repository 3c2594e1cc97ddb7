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

/** An open call, and whether and how it ended. */
interface OpenCall {
  readonly ended: () => boolean;
  readonly end: Promise<unknown>;
  readonly leave: () => void;
}

function start(run: (signal: AbortSignal) => Promise<unknown>): OpenCall {
  const abort = new AbortController();
  let ended = false;
  const end = run(abort.signal)
    .catch((thrown: unknown) => thrown)
    .finally(() => {
      ended = true;
    });
  return { ended: () => ended, end, leave: () => abort.abort() };
}

type Opens = (service: RunningService, token: string, as: Credential) => OpenCall;

const watchMembers =
  (headers: (as: Credential) => Record<string, string>, tokenOf: (token: string, as: Credential) => string) =>
  (service: RunningService, token: string, as: Credential): OpenCall =>
    start(async (signal) => {
      const client = createClient(DiscoveryService, createGrpcTransport({ baseUrl: service.url }));
      const asked = { token: tokenOf(token, as) };
      for await (const _ of client.watchMembers(asked, { signal, headers: headers(as) }));
    });

/** Calls that a caller can keep open for long. */
const OPENS: Readonly<Record<string, Opens>> = {
  'a v2 wait': (service, token, as) =>
    start(async (signal) => {
      const answer = await fetch(`${service.url}/${token}?wait=true&recursive=true`, {
        signal,
        headers: bearerOf(as),
      });
      assert.equal(answer.status, 200);
      await answer.text();
    }),
  'a v2 wait with the secret after the token': (service, token, as) =>
    start(async (signal) => {
      const answer = await fetch(`${service.url}/${token}:${as.secret}?wait=true&recursive=true`, { signal });
      assert.equal(answer.status, 200);
      await answer.text();
    }),
  'a v3 watch': (service, token, as) =>
    start(async (signal) => {
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
  'WatchMembers with the secret after the token': watchMembers(
    () => ({}),
    (token, as) => `${token}:${as.secret}`,
  ),
};

/** Starts a service that knows both callers, with all of this open for each. */
async function openEverything(t: TestContext, name: string) {
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
  // The v2 waits share a watch of the core.
  await waitFor('all of them to be open', async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    return metrics.includes(`discovery_watches ${2 * length}`);
  });
  return { file, service, client, token, all };
}

function logOf({ logged }: RunningService): Array<Record<string, unknown>> {
  return logged.map((line) => JSON.parse(line) as Record<string, unknown>);
}

suite('a caller removed from the file of known callers', () => {
  test('a removed caller loses everything it has open, and others keep theirs', async (t) => {
    const { file, service, client, token, all } = await openEverything(t, 'one');
    writeFileSync(file, `${stays.line}\n`);
    for (const { what, ended } of all.leaves) await waitFor(`the end of ${what}`, ended);
    const outcomes = await Promise.all(all.leaves.map(({ end }) => end));
    for (const thrown of outcomes)
      assert.ok(thrown instanceof Error, 'a wait that ends like this does not return an empty response');
    const ofRpcs = outcomes.filter((thrown) => thrown instanceof ConnectError);
    assert.deepEqual(
      ofRpcs.map(({ code }) => code),
      [Code.Unauthenticated, Code.Unauthenticated, Code.Unauthenticated],
    );
    assert.deepEqual(
      all.stays.filter(({ ended }) => ended()).map(({ what }) => what),
      [],
    );
    // The waits of others are answered, although the removed caller had the first one.
    await client.register({ token, memberId: '1', name: 'infra1', peerUrls: ['http://10.0.0.1:2380'] });
    for (const { what, ended } of all.stays.slice(0, 2)) await waitFor(`the response to ${what}`, ended);
    const over = logOf(service).find(({ ended }) => ended !== undefined);
    assert.equal(over?.['ended'], all.leaves.length);
  });

  for (const [how, takeAll] of [
    ['emptied', (file: string) => writeFileSync(file, '')],
    ['reduced to comments', (file: string) => writeFileSync(file, '# nobody\n')],
    ['deleted', (file: string) => unlinkSync(file)],
  ] as const) {
    test(`all callers are removed if the file is ${how}, which is logged as an error`, async (t) => {
      const { file, service, token, all } = await openEverything(t, how);
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
      await waitFor('the caller to be known again', async () => {
        return (await fetch(`${service.url}/${token}`, { headers: bearerOf(stays) })).ok;
      });
    });
  }
});
