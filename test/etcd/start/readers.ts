import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { StartFormat } from '../../../src/etcd/start/text.ts';
import type { Run } from '../harness/run.ts';
import type { Scene } from '../harness/scene.ts';
import { readUnit } from './read-systemd.ts';

/** A real etcd in a scene. */
interface Place {
  readonly scene: Scene;
  readonly etcd: string;
}

/** Starts a real etcd from a text like its reader: a shell, etcd, systemd, Compose or the kubelet. */
export const START: Readonly<Record<StartFormat, (place: Place, text: string) => Promise<Run>>> = {
  async flags(place, text) {
    return place.scene.run('etcd from flags', 'bash', ['-c', text], { PATH: await pathTo(place) });
  },

  async env(place, text) {
    const script = `set -a; . ${await file(place, 'etcd.env', text)}; exec etcd`;
    return place.scene.run('etcd from variables', 'bash', ['-c', script], { PATH: await pathTo(place) });
  },

  async yaml(place, text) {
    const args = ['--config-file', await file(place, 'etcd.yaml', text)];
    const before = /^# Start it with: (?:SSL_CERT_FILE=(\S+) )?etcd --config-file FILE$/m.exec(text);
    assert.ok(before !== null, text);
    const env = before[1] === undefined ? {} : { SSL_CERT_FILE: before[1] };
    return place.scene.run('etcd from a file', place.etcd, args, env);
  },

  async systemd(place, text) {
    const { argv, env, settings } = readUnit(text);
    assert.equal(settings.get('TimeoutStartSec'), 'infinity');
    return inPlaceOf('etcd', place, argv, env);
  },

  // A real YAML parser reads these two. The test starts the binary instead of the container.
  async compose(place, text) {
    const { services } = parse(text) as { services: Record<string, ComposeService> };
    const [service] = Object.values(services);
    assert.ok(service !== undefined && Object.keys(services).length === 1);
    assert.equal(service.network_mode, 'host');
    const interpolated = (word: string): string => {
      assert.doesNotMatch(word.replaceAll('$$', ''), /\$/, 'Compose would expand a variable');
      return word.replaceAll('$$', '$');
    };
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(service.environment ?? {})) env[name] = interpolated(value);
    const argv = service.command.map(interpolated);
    assertHeld(
      service.volumes.map(({ target }) => interpolated(target)),
      argv,
      env,
    );
    return inPlaceOf('/usr/local/bin/etcd', place, argv, env);
  },

  async kubernetes(place, text) {
    const { spec } = parse(text) as { spec: PodSpec };
    const [container] = spec.containers;
    assert.ok(container !== undefined && spec.hostNetwork);
    const expanded = (word: string): string => {
      assert.doesNotMatch(word.replaceAll('$$', ''), /\$\(/, 'Kubernetes would expand a variable');
      return word.replaceAll('$$', '$');
    };
    const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, expanded(value)]));
    const argv = container.command.map(expanded);
    assert.deepEqual(
      container.volumeMounts.map(({ name }) => name),
      spec.volumes.map(({ name }) => name),
    );
    assertHeld(
      container.volumeMounts.map(({ mountPath }) => mountPath),
      argv,
      env,
    );
    return inPlaceOf('/usr/local/bin/etcd', place, argv, env);
  },
};

interface ComposeService {
  readonly network_mode: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: ReadonlyArray<{ readonly target: string }>;
}

interface PodSpec {
  readonly hostNetwork: boolean;
  readonly containers: ReadonlyArray<{
    readonly command: readonly string[];
    readonly env?: ReadonlyArray<{ readonly name: string; readonly value: string }>;
    readonly volumeMounts: ReadonlyArray<{ readonly name: string; readonly mountPath: string }>;
  }>;
  readonly volumes: ReadonlyArray<{ readonly name: string }>;
}

/** Asserts that the container has every file and directory that etcd is configured with. */
function assertHeld(mounts: readonly string[], argv: readonly string[], env: Record<string, string>): void {
  const configured = argv.flatMap(
    (word) => /^--(?:data-dir|discovery-cacert|.*-file)=(.*)$/.exec(word)?.[1] ?? [],
  );
  // A path that is configured twice is mounted once.
  assert.deepEqual([...mounts].sort(), [...new Set([...configured, ...Object.values(env)])].sort());
}

function inPlaceOf(
  program: string,
  { scene, etcd }: Place,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Run {
  assert.equal(argv[0], program);
  return scene.run('etcd', etcd, argv.slice(1), env);
}

/** Returns a PATH on which `etcd` is the one under test. */
async function pathTo({ scene, etcd }: Place): Promise<string> {
  const bin = join(scene.directory, 'bin');
  await mkdir(bin);
  await symlink(etcd, join(bin, 'etcd'));
  return `${bin}:${process.env['PATH'] ?? ''}`;
}

async function file({ scene }: Place, name: string, text: string): Promise<string> {
  const path = join(scene.directory, name);
  await writeFile(path, text);
  return path;
}
