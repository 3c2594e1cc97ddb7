import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { KV, PutRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { tokenLabel } from '../../src/server/telemetry/redact.ts';
import { type RunningService, startService } from '../support/service.ts';
import { waitFor } from '../support/wait.ts';

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

type Line = Readonly<Record<string, unknown>>;

const lines = (): Line[] => service.logged.map((line) => JSON.parse(line) as Line);

/** Waits for this many log lines about a token, without those of requests, and returns them. */
async function storyOf(token: string, count: number): Promise<Line[]> {
  const label = tokenLabel(token);
  const found = (): Line[] => lines().filter(({ token, msg }) => token === label && msg !== 'request');
  await waitFor(`${count} lines about the token`, () => found().length >= count);
  return found();
}

const put = (token: string, id: string, name: string, host: string): Promise<Response> =>
  fetch(`${service.url}/${token}/${id}?prevExist=false`, {
    method: 'PUT',
    body: new URLSearchParams({ value: `${name}=http://${host}:2380` }),
  });

test('the log tells the story of a cluster: a line for each change and each rejected registration', async () => {
  const made = await fetch(`${service.url}/new?size=2`);
  const token = (await made.text()).split('/').at(-1) ?? '';
  await put(token, '1', 'infra1', '10.0.0.1');
  await put(token, '2', 'infra1', '10.0.0.2');
  await put(token, '3', 'infra3', '10.0.0.3');
  await put(token, '4', 'infra4', '10.0.0.4');
  await service.client.deleteToken({ token });
  const story = await storyOf(token, 7);
  const facts = story.map(({ size, member, members, reason, level }) => ({
    size,
    member,
    members,
    reason,
    level,
  }));
  const no = { size: undefined, member: undefined, members: undefined, reason: undefined, level: 'info' };
  assert.deepEqual(facts, [
    { ...no, size: 2 },
    { ...no, member: 'infra1', members: '1 of 2' },
    { ...no, member: 'infra1', reason: 'NAME_TAKEN' },
    { ...no, member: 'infra3', members: '2 of 2' },
    { ...no, size: 2 },
    { ...no, member: 'infra4', members: '2 of 2' },
    { ...no, members: '2 of 2' },
  ]);
  assert.equal(typeof story[4]?.['seconds'], 'number');
});

test('the story includes removals, replacements, standbys and reopening', async () => {
  const { cluster } = await service.client.createToken({ size: 2, allowRejoin: true });
  const token = cluster?.token ?? '';
  const register = (memberId: string, host: string) =>
    service.client.register({ token, memberId, name: memberId, peerUrls: [`http://${host}:2380`] });
  await register('a', '10.0.1.1');
  await service.client.deregister({ token, memberId: 'a' });
  await register('b', '10.0.1.2');
  await service.client.reopenToken({ token });
  const texts = (await storyOf(token, 5)).map(({ msg }) => String(msg));
  assert.match(texts[2] ?? '', /removed/);
  assert.match(texts[4] ?? '', /reopened/);
});

test('the line of a request has its token and the reason of its error, on every interface', async () => {
  const token = 'a'.repeat(32);
  const label = tokenLabel(token);
  await fetch(`${service.url}/${token}`);
  await fetch(`${service.url}/${token}`, { headers: { Accept: 'text/html' } });
  await assert.rejects(service.client.getCluster({ token }));
  const grpc = createGrpcTransport({ baseUrl: service.url });
  const key = new TextEncoder().encode(`/_etcd/registry/${token}/members/1`);
  const value = new TextEncoder().encode('a=http://a:2380');
  await assert.rejects(createClient(KV, grpc).put(create(PutRequestSchema, { key, value })));
  const refused = (): Line[] =>
    lines().filter(({ token, reason, msg }) => msg === 'request' && token === label && reason !== undefined);
  await waitFor('a line for each', () => refused().length === 4);
  assert.deepEqual(
    refused().map(({ surface, reason }) => [surface, reason]),
    ['v2', 'page', 'rpc', 'rpc'].map((surface) => [surface, 'TOKEN_NOT_FOUND']),
  );
});
