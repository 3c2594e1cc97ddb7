import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE } from './tools.ts';

const run = promisify(execFile);
const NODE_MAJOR = 24;
/** A machine's own CA, which a registry behind a proxy may need. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const STEP_LIMIT_MS = 10 * 60_000;

/** What an image says of how it is run. */
export interface ImageConfig {
  readonly User: string;
  readonly WorkingDir: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

/**
 * Builds Dockerfiles with buildah in a storage of its own. The base images come from no registry: they are made
 * from Debian's packages and Node's own binary, under the names that the Dockerfiles use.
 */
export class Builder {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async buildah(...args: string[]): Promise<string> {
    const { stdout } = await run(
      'buildah',
      ['--root', join(this.#directory, 'root'), '--runroot', join(this.#directory, 'run'), ...args],
      {
        env: { ...process.env, STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot' },
        timeout: STEP_LIMIT_MS,
        maxBuffer: 64 << 20,
      },
    );
    return stdout.trim();
  }

  async makeBase(name: string): Promise<void> {
    const registry = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
    const container = await this.buildah('from', 'scratch');
    await this.buildah('add', '--quiet', container, await baseRoot(), '/');
    const env = [`NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `npm_config_registry=${registry}`];
    await this.buildah('config', ...env.flatMap((each) => ['--env', each]), container);
    await this.buildah('commit', '--quiet', '--rm', container, name);
  }

  /** Builds, and returns the name under which the image can be used here. */
  async build(dockerfile: string, context: string, name: string): Promise<void> {
    await this.buildah(
      'build',
      '--quiet',
      '--pull-never',
      '--format',
      'docker',
      '-f',
      dockerfile,
      '-t',
      name,
      context,
    );
  }

  /** The directory that holds the files of a new container, and what the image says of running it. */
  async container(image: string): Promise<{ root: string; config: ImageConfig }> {
    const container = await this.buildah('from', '--pull-never', image);
    const root = await this.buildah('mount', container);
    const inspected = await this.buildah('inspect', '--type', 'image', image);
    const { Docker } = JSON.parse(inspected) as { Docker: { config: ImageConfig } };
    return { root, config: Docker.config };
  }

  async remove(): Promise<void> {
    await this.buildah('umount', '--all').catch(() => {});
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Debian with Node and npm in a directory, made once. */
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
