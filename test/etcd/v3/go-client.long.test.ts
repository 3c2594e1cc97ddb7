import assert from 'node:assert/strict';
import type { Run } from '../harness/run.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { forEachGoClient, type GoClient } from '../harness/versions.ts';

const MEMBERS = 60;

/** A member as the API lists it. */
interface Listed {
  readonly id: string;
  readonly createRevision: string;
}

await forEachGoClient((it) => {
  it('a watch delivers every event once through a crash, a restart and a lost connection', async (scene, found) => {
    const service = await Service.start(scene);
    const proxy = await TcpProxy.open(scene, service.url);
    const token = await service.createToken({ size: MEMBERS });
    const prefix = `/_etcd/registry/${token}/members`;
    const watch = start(scene, found, 'watch', proxy.url, prefix, '1');
    await scene.waitForLog(watch, /^CREATED /m);

    const puts = (): number => watch.log.match(/^PUT /gm)?.length ?? 0;
    let restarted = Promise.resolve();
    for (let i = 0; i < MEMBERS; i++) {
      // Writes continue while the service is down, and are retried until they succeed.
      if (i === 10) restarted = restart(service, 'SIGKILL');
      if (i === 25) restarted = restart(service, 'SIGTERM');
      if (i === 40) proxy.cut();
      if (i === 50) proxy.restore();
      await registerUntilDone(scene, service, token, i);
      if (i === 24) await restarted;
      if (i === 9) await scene.until('the watch to report some puts', () => (puts() > 0 ? true : undefined));
    }
    await restarted;
    const { members } = (await service.call('ListMembers', { token })) as { members: readonly Listed[] };
    assert.equal(members.length, MEMBERS);
    await scene.until('the watch to report the last put', () =>
      watch.log.includes(`PUT ${prefix}/m${MEMBERS - 1} `) ? true : undefined,
    );
    const received = watch.log.split('\n').filter((line) => line.startsWith('PUT '));
    const all = members.map(({ id, createRevision }) => `PUT ${prefix}/${id} ${createRevision}`);
    assert.deepEqual(received, all, 'in order, each once');
    assert.doesNotMatch(watch.log, /^(OVER|END)/m);
  });

  it('progress notifications of a watch are never behind its events and never ahead of them', async (scene, found) => {
    const service = await Service.start(scene);
    const token = await service.createToken({ size: MEMBERS });
    const prefix = `/_etcd/registry/${token}/members`;
    const watch = start(scene, found, 'watch', service.url, prefix, '1');
    for (let i = 0; i < 5; i++) await registerUntilDone(scene, service, token, i);
    // Changes of another token are not sent to the watch, but advance its progress.
    await service.createToken({ size: 1 });
    const { revision } = await service.call('ListMembers', { token });
    await scene.until('progress up to the latest revision', () =>
      watch.log.includes(`PROGRESS ${String(revision)}\n`) ? true : undefined,
    );
    await service.stop('SIGKILL');
    await service.startAgain();
    await registerUntilDone(scene, service, token, 5);
    await scene.until('progress after the restart', async () => {
      const { revision } = await service.call('ListMembers', { token });
      return watch.log.includes(`PROGRESS ${String(revision)}\n`) ? true : undefined;
    });

    let latest = 0;
    for (const line of watch.log.split('\n')) {
      const [kind, ...words] = line.split(' ');
      const revision = Number(words.at(-1));
      if (kind === 'PUT') assert.ok(revision > latest, `${line} comes after a claim of ${latest}`);
      else if (kind === 'PROGRESS') assert.ok(revision >= latest, `${line} comes after ${latest}`);
      else continue;
      latest = revision;
    }
    assert.equal(watch.log.match(/^PUT /gm)?.length, 6);
  });

  it('of twenty clients that create one member at once, one succeeds and the others learn which', async (scene, found) => {
    const service = await Service.start(scene);
    const token = await service.createToken({ size: 3 });
    const key = `/_etcd/registry/${token}/members/1`;
    const run = start(scene, found, 'create', service.url, key, '20');
    assert.equal((await scene.waitForEnd(run)).code, 0, run.describe());
    const won = [...run.log.matchAll(/^WON (\S+) (\S+)$/gm)];
    const lost = [...run.log.matchAll(/^LOST (\S+) (\S+)$/gm)];
    assert.equal(won.length, 1, run.log);
    assert.equal(lost.length, 19, run.log);
    assert.ok(lost.every(([, , seen]) => seen === won[0]?.[2]));
    const { members } = (await service.call('ListMembers', { token })) as {
      members: Array<{ name: string }>;
    };
    assert.deepEqual(
      members.map(({ name }) => name),
      [won[0]?.[1]],
    );
  });
});

function start(scene: Scene, { goclient }: GoClient, ...args: readonly string[]): Run {
  return scene.run(`goclient ${args[0]}`, goclient, args);
}

async function restart(service: Service, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  await service.stop(signal);
  await service.startAgain();
}

/** Registers a member and retries until it is acknowledged. A repeat causes no second event. */
async function registerUntilDone(scene: Scene, service: Service, token: string, i: number): Promise<void> {
  const request = { token, memberId: `m${i}`, name: `infra${i}`, peerUrls: [`http://10.0.0.1:${2000 + i}`] };
  await scene.until(`member ${i} to be registered`, async (): Promise<true> => {
    await service.call('Register', request);
    return true;
  });
}
