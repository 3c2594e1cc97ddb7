import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { slow } from '../slow.ts';
import {
  cacheDirectory,
  goProgram,
  IN_A_LONG_RUN,
  onPath,
  provideGo,
  ROOT,
  type Tool,
} from '../support/programs.ts';

// Clients of other projects. A long run builds and keeps them; a short run uses those that exist.

const run = promisify(execFile);
const SOURCES = join(ROOT, 'test', 'clients');

/** The clone's `buf`. */
export const BUF: string = join(ROOT, 'node_modules', '.bin', 'buf');
/** Modules that the Go client needs: the code generator, and the libraries of its output. */
const PROTOBUF_GO = 'google.golang.org/protobuf@v1.36.12';
const CONNECT_GO = 'connectrpc.com/connect@v1.21.1';
const GRPC_GO = 'google.golang.org/grpc@v1.85.0';
const GRPC_PLUGIN = 'google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2';

export function grpcurl(): Promise<Tool> {
  const version = 'v1.9.4';
  return goProgram('grpcurl', version, `github.com/fullstorydev/grpcurl@${version}`, '/cmd/grpcurl');
}

/** Builds the program of test/clients/go, with code generated from proto/ with the options given there. */
export async function goClient(): Promise<Tool> {
  const get = [PROTOBUF_GO, CONNECT_GO, GRPC_GO];
  const made = digest([join(SOURCES, 'go', 'main.go'), ...protos()], [...get, GRPC_PLUGIN]);
  const name = `rpc-client-${made}`;
  const prepare = async (work: string): Promise<void> => {
    await copyFile(join(SOURCES, 'go', 'main.go'), join(work, 'main.go'));
    const plugins: Record<string, Tool> = {
      'protoc-gen-go': await goProgram('protoc-gen-go', 'v1.36.12', PROTOBUF_GO, '/cmd/protoc-gen-go'),
      'protoc-gen-go-grpc': await goProgram('protoc-gen-go-grpc', 'v1.6.2', GRPC_PLUGIN, ''),
      'protoc-gen-connect-go': await goProgram(
        'protoc-gen-connect-go',
        'v1.21.1',
        CONNECT_GO,
        '/cmd/protoc-gen-connect-go',
      ),
    };
    const template = {
      version: 'v2',
      plugins: Object.entries(plugins).map(([plugin, tool]) => {
        if (tool.missing !== undefined) throw new Error(`${plugin}: ${tool.missing}`);
        return { local: tool.path, out: '.', opt: 'module=etcd-discovery' };
      }),
    };
    const flags = ['--template', JSON.stringify(template), '--path', 'proto/discovery', '--output', work];
    await run(BUF, ['generate', ...flags], { cwd: ROOT });
  };
  return provideGo({ name, module: 'etcd-discovery', get, source: '.', prepare });
}

/** Provides a Python with grpcio and the code generated from proto/. */
export async function python(): Promise<Tool & { readonly code?: string }> {
  const packages = ['grpcio', 'grpcio-tools', 'grpcio-status'].map((each) => `${each}==1.85.1`);
  const interpreter = onPath('python3');
  if (interpreter === undefined) return { missing: 'no python3 on PATH' };
  const { stdout: version } = await run(interpreter, [
    '-c',
    'import platform; print(platform.python_version())',
  ]);
  const name = `python-${createHash('sha256')
    .update(packages.join() + version)
    .digest('hex')
    .slice(0, 12)}`;
  const home = join(cacheDirectory(), name);
  const code = join(cacheDirectory(), `${name}-${digest(protos())}`);
  if ((!existsSync(home) || !existsSync(code)) && !slow) return { missing: IN_A_LONG_RUN };
  try {
    if (!existsSync(home)) {
      // A virtual environment cannot be moved: it is created in place, and a link marks it as complete.
      const place = await mkdtemp(`${home}-`);
      await run(interpreter, ['-m', 'venv', place]);
      await run(join(place, 'bin', 'pip'), ['install', '--only-binary=:all:', '--quiet', ...packages]);
      await symlink(place, home);
    }
    if (!existsSync(code)) {
      const work = await mkdtemp(`${code}-`);
      const out = [`--python_out=${work}`, `--grpc_python_out=${work}`];
      const files = protos().map((path) => path.slice(join(ROOT, 'proto').length + 1));
      const include = ['-I', join(ROOT, 'proto')];
      await run(join(home, 'bin', 'python'), ['-m', 'grpc_tools.protoc', ...include, ...out, ...files]);
      await rename(work, code).catch(() => rm(work, { recursive: true }));
    }
  } catch (error) {
    return {
      missing: `Python's grpcio cannot be installed: ${(error as Error).message.split('\n').slice(-3).join(' | ')}`,
    };
  }
  return { path: join(home, 'bin', 'python'), code };
}

/** Returns the protos of the API. */
function protos(): string[] {
  const directory = join(ROOT, 'proto', 'discovery', 'v1');
  return readdirSync(directory)
    .sort()
    .map((file) => join(directory, file));
}

function digest(files: readonly string[], words: readonly string[] = []): string {
  const hash = createHash('sha256').update(words.join());
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}
