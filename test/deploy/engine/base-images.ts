import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { etcdctlOf, etcdOf } from '../../etcd/harness/versions.ts';
import { CACHE } from '../tools.ts';
import type { Engine } from './engine.ts';

// Images made here instead of pulled from a registry, under the names that the documents and files use.

const run = promisify(execFile);
const NODE_MAJOR = 24;
/** The machine's own CA, which a registry behind a proxy may need. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const STEP_LIMIT_MS = 10 * 60_000;

/** Imports Debian with Node.js and npm, configured with this machine's registry. */
export async function importNode(engine: Engine, name: string): Promise<void> {
  const registry = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
  const env = `NODE_EXTRA_CA_CERTS=${CERTIFICATES} npm_config_registry=${registry}`;
  const unused = './usr/share/doc ./usr/share/locale ./var/cache/apt ./var/lib/apt/lists'.split(' ');
  const without = unused.map((path) => `--exclude=${path}`).join(' ');
  await engine.must(`tar -C "$ROOT" ${without} -c . | docker import --change "ENV $VARIABLES" - "$NAME"`, {
    ROOT: await baseRoot(),
    VARIABLES: env,
    NAME: name,
  });
}

/** Imports an image like the etcd project's: statically linked programs, root, and no shell. */
export async function importEtcd(engine: Engine, name: string, directory: string): Promise<void> {
  const [, version = '', series = ''] = /:v((\d+\.\d+)\.\d+)$/.exec(name) ?? [];
  const [etcd, etcdctl] = [await etcdOf(series), await etcdctlOf(series)];
  if (etcd.version !== version)
    throw new Error(`the document names ${name}, but the tests use ${etcd.version}`);
  const root = join(directory, `etcd-${version}`);
  for (const path of ['usr/local/bin', 'var/etcd', 'var/lib/etcd', 'tmp']) {
    await mkdir(join(root, path), { recursive: true });
  }
  await copyFile(etcd.etcd, join(root, 'usr/local/bin/etcd'));
  await copyFile(etcdctl.etcdctl, join(root, 'usr/local/bin/etcdctl'));
  const changes = [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'WORKDIR /var/lib/etcd/',
    'EXPOSE 2379 2380',
    'CMD ["/usr/local/bin/etcd"]',
  ];
  const flags = changes.map((each) => `--change '${each}'`).join(' ');
  await engine.must(`tar -C "$ROOT" -c . | docker import ${flags} - "$NAME"`, { ROOT: root, NAME: name });
}

/** Returns a directory with Debian, Node.js and npm, created once. */
async function baseRoot(): Promise<string> {
  const place = join(CACHE, `bookworm-node-${NODE_MAJOR}`);
  if (existsSync(place)) return place;
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(`${place}-`);
  try {
    await run('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', fresh], {
      timeout: STEP_LIMIT_MS,
    });
    const node = `node-linux-${process.arch}`;
    await run('npm', [
      'install',
      '--prefix',
      join(fresh, 'tmp'),
      '--no-save',
      `${node}@${NODE_MAJOR}`,
      'npm@11',
    ]);
    const modules = join(fresh, 'tmp', 'node_modules');
    await copyFile(join(modules, node, 'bin', 'node'), join(fresh, 'usr/local/bin/node'));
    await cp(join(modules, 'npm'), join(fresh, 'usr/local/lib/node_modules/npm'), { recursive: true });
    await run('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(fresh, 'usr/local/bin/npm')]);
    await rm(modules, { recursive: true });
    if (existsSync(CERTIFICATES)) await copyFile(CERTIFICATES, join(fresh, CERTIFICATES));
    await rename(fresh, place);
    return place;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
}
