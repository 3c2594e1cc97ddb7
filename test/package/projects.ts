import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { slow } from '../slow.ts';

const exec = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The fields of a package.json that the tests read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** A packed package. */
export interface Packed {
  readonly manifest: Manifest;
  readonly tarball: string;
  /** The unpacked package. */
  readonly directory: string;
}

/** Packs both packages into a directory. */
export async function pack(into: string): Promise<{ service: Packed; client: Packed }> {
  const packages = join(into, 'packages');
  await exec(process.execPath, [join(ROOT, 'src/dev/pack/main.mjs'), '--into', packages], { cwd: ROOT });
  const packed = (name: string): Packed => {
    const directory = join(packages, name);
    const manifest = readManifest(directory);
    return { manifest, directory, tarball: join(packages, `${name}-${manifest.version}.tgz`) };
  };
  return { service: packed('etcd-discovery'), client: packed('etcd-discovery-client') };
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

/** Installs packages and a compiler in an empty project. In a long run npm does it, with strict engines. */
export async function install(project: string, ours: readonly Packed[]): Promise<void> {
  const tools = ['typescript', '@types/node'];
  writeFileSync(join(project, 'package.json'), '{"type": "module", "private": true}');
  if (slow) {
    const { devDependencies } = readManifest(ROOT);
    const wanted = [
      ...ours.map(({ tarball }) => tarball),
      ...tools.map((name) => `${name}@${devDependencies?.[name]}`),
    ];
    const flags = ['--engine-strict', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await exec('npm', ['install', ...flags, ...wanted], { cwd: project });
    return;
  }
  // Copies from the clone what npm would install: no network, and only what the packages ask for.
  const modules = join(project, 'node_modules');
  for (const { manifest, tarball } of ours) {
    const directory = join(modules, manifest.name);
    mkdirSync(directory, { recursive: true });
    await exec('tar', ['-xzf', tarball, '--strip-components=1', '-C', directory]);
  }
  const needed = new Set([...ours.flatMap(({ manifest }) => Object.keys(manifest.dependencies)), ...tools]);
  for (const name of needed) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
}

/** Compiles a project. Fails with the compiler's output. */
export async function compile(project: string, config: object): Promise<void> {
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  await exec(process.execPath, [tsc], { cwd: project }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}

export const STRICT = {
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  // Checks our own type declarations as well.
  skipLibCheck: false,
  types: ['node'],
  outDir: 'out',
  rootDir: '.',
};
