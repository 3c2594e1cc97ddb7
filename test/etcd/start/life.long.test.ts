import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../harness/ports.ts';
import type { Run } from '../harness/run.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { type Etcd, etcdctlOf, forEachEtcd } from '../harness/versions.ts';

// Machines that boot with the script of docs/guides/start-nodes.md and have only curl, etcd and etcdctl.

const GUIDE = readFileSync(
  fileURLToPath(new URL('../../../../docs/guides/start-nodes.md', import.meta.url)),
  'utf8',
);
const SCRIPT = /```bash\n(#!\/bin\/sh\n[\s\S]*?)```/.exec(GUIDE)?.[1] ?? '';

const RESTART_MS = 300;

/** The setup that all machines share. */
interface Fleet {
  readonly scene: Scene;
  readonly etcd: Etcd;
  readonly path: string;
  readonly script: string;
  readonly service: string;
  readonly token: string;
  /** Client URLs of the first machines: on one host each has its own port. */
  readonly clientUrls: string[];
}

async function openFleet(scene: Scene, etcd: Etcd, size: number): Promise<Fleet> {
  assert.match(SCRIPT, /_start/);
  const service = await Service.start(scene);
  const url = await service.newDiscoveryUrl(size);
  const bin = join(scene.directory, 'bin');
  await mkdir(bin);
  await symlink(etcd.etcd, join(bin, 'etcd'));
  await symlink((await etcdctlOf(etcd.series)).etcdctl, join(bin, 'etcdctl'));
  const script = join(scene.directory, 'start-etcd');
  await writeFile(script, SCRIPT);
  const token = url.split('/').at(-1) ?? '';
  return { scene, etcd, path: `${bin}:/usr/bin:/bin`, script, service: service.url, token, clientUrls: [] };
}

/** A machine with its own disk and ports. */
class Machine {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly #fleet: Fleet;
  readonly #disk: string;
  readonly #env: NodeJS.ProcessEnv;
  #run: Run | undefined;

  private constructor(
    fleet: Fleet,
    name: string,
    [clientPort = 0, peerPort = 0]: readonly number[],
    more: string,
  ) {
    this.#fleet = fleet;
    this.name = name;
    this.clientUrl = `http://127.0.0.1:${clientPort}`;
    this.peerUrl = `http://127.0.0.1:${peerPort}`;
    this.#disk = join(fleet.scene.directory, `disk-${peerPort}`);
    this.#env = {
      PATH: fleet.path,
      SERVICE: fleet.service,
      TOKEN: fleet.token,
      ETCD: fleet.etcd.series,
      NAME: name,
      IP: '127.0.0.1',
      DATA_DIR: this.#disk,
      ENV_FILE: `${this.#disk}.env`,
      MORE: `client-port=${clientPort}&peer-port=${peerPort}${more}`,
      ETCD_UNSAFE_NO_FSYNC: 'true',
    };
  }

  static async make(fleet: Fleet, name: string, more = ''): Promise<Machine> {
    const machine = new Machine(fleet, name, await freePorts(2), more);
    if (fleet.clientUrls.length < 3) fleet.clientUrls.push(machine.clientUrl);
    return machine;
  }

  /** Starts it, and restarts it when it fails, like systemd with Restart=on-failure. */
  boot(): void {
    const run = this.#start();
    this.#run = run;
    void run.ended.then(async ({ signal }) => {
      if (signal === 'SIGKILL') return;
      // A cluster accepts no member in the first seconds of its life.
      await sleep(RESTART_MS);
      if (this.#run === run) this.boot();
    });
  }

  /** Boots once. Returns what the script printed. */
  async bootOnce(): Promise<string> {
    const run = this.#start();
    await this.#fleet.scene.waitForEnd(run);
    return run.log;
  }

  #start(): Run {
    const { scene, script, clientUrls } = this.#fleet;
    const others = clientUrls.filter((url) => url !== this.clientUrl);
    const env = { ...this.#env, MORE: `${this.#env['MORE']}&endpoints=${others.join()}` };
    return scene.run(`machine ${this.name}`, 'sh', [script], env);
  }

  /** Kills etcd, which the script has replaced itself with. */
  async cutPower(): Promise<void> {
    await this.#run?.stop('SIGKILL');
  }

  async loseDisk(): Promise<void> {
    await rm(this.#disk, { recursive: true });
  }
}

/** Waits until these are the members of one healthy cluster, as each of them reports. */
async function expectMembers({ scene }: Fleet, machines: readonly Machine[]): Promise<void> {
  const wanted = machines.map(({ name, peerUrl }) => `${name}=${peerUrl}`).sort();
  const clusters = new Set<string>();
  for (const { name, clientUrl } of machines) {
    await scene.until(`${name} to see ${wanted.join(' ')}`, async (): Promise<true> => {
      const ask = async (path: string): Promise<unknown> => {
        const request = { method: 'POST', body: '{}', signal: AbortSignal.timeout(5000) };
        return (await fetch(`${clientUrl}${path}`, request)).json();
      };
      const { header, members } = (await ask('/v3/cluster/member/list')) as Members;
      const found = members.map(({ name: each = '', peerURLs }) => `${each}=${peerURLs.join()}`).sort();
      if (found.join(' ') !== wanted.join(' ')) throw new Error(found.join(' '));
      clusters.add(header.cluster_id);
      // Running is not enough: it must have a leader, to serve what the others have agreed on.
      const { leader } = (await ask('/v3/maintenance/status')) as { leader?: string };
      if (leader === undefined || leader === '0') throw new Error('no leader');
      return true;
    });
  }
  assert.equal(clusters.size, 1);
}

interface Members {
  readonly header: { readonly cluster_id: string };
  readonly members: ReadonlyArray<{ readonly name?: string; readonly peerURLs: readonly string[] }>;
}

await forEachEtcd((it) => {
  it('machines with one boot script form a cluster, restart, join late, and are replaced except while they run', async (scene, etcd) => {
    const fleet = await openFleet(scene, etcd, 3);
    const [one, two, three] = await Promise.all(
      ['infra1', 'infra2', 'infra3'].map((name) => Machine.make(fleet, name)),
    );
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    for (const machine of [one, two, three]) machine.boot();
    await expectMembers(fleet, [one, two, three]);

    await one.cutPower();
    one.boot();
    await expectMembers(fleet, [one, two, three]);

    await two.cutPower();
    await two.loseDisk();
    two.boot();
    await expectMembers(fleet, [one, two, three]);

    // A new machine in its place has another address.
    await two.cutPower();
    const again = await Machine.make(fleet, 'infra2');
    again.boot();
    await expectMembers(fleet, [one, again, three]);

    const late = await Machine.make(fleet, 'infra4');
    late.boot();
    await expectMembers(fleet, [one, again, three, late]);

    // A machine with the name of one that runs.
    const second = await Machine.make(fleet, 'infra2');
    assert.match(await second.bootOnce(), /infra2 is still running and was not replaced/);
    await expectMembers(fleet, [one, again, three, late]);
  });
}, 'ANY');
