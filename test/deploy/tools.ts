import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../support/debian.ts';

// Plain JavaScript that is not compiled to dist/.
const TOOL = new URL('../../../test/tools/go-build.mjs', import.meta.url);
const { cacheDirectory } = (await import(TOOL.href)) as typeof import('../tools/go-build.mjs');

const run = promisify(execFile);
/** Where tests keep what is costly to get. */
export const CACHE = cacheDirectory();
const KUBERNETES_VALIDATE = '1.37.0';

/** A validator with Kubernetes' own schemas, from PyPI, kept in the cache; or why there is none. */
export async function provideKubernetesValidate(): Promise<{ command?: string; missing?: string }> {
  const environment = join(CACHE, `kubernetes-validate-${KUBERNETES_VALIDATE}`);
  const command = join(environment, 'bin', 'kubernetes-validate');
  if (existsSync(command)) return { command };
  if (onPath('python3') === undefined) return { missing: 'no python3 on PATH' };
  try {
    await mkdir(CACHE, { recursive: true });
    await run('python3', ['-m', 'venv', environment]);
    const pip = join(environment, 'bin', 'pip');
    await run(pip, ['install', '--quiet', `kubernetes-validate==${KUBERNETES_VALIDATE}`], {
      timeout: 300_000,
    });
    return { command };
  } catch (error) {
    await rm(environment, { recursive: true, force: true });
    return { missing: `kubernetes-validate cannot be installed: ${String(error).split('\n')[0]}` };
  }
}
