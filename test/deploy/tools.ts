import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../support/debian.ts';

// Plain JavaScript that is not compiled to dist/.
const TOOL = new URL('../../../test/tools/go-build.mjs', import.meta.url);
const { cacheDirectory, provideGoProgram } = (await import(
  TOOL.href
)) as typeof import('../tools/go-build.mjs');

const run = promisify(execFile);
/** Where tests keep what is expensive to download or build. */
export const CACHE = cacheDirectory();
const KUBERNETES_VALIDATE = '1.37.0';

/** Returns a validator with Kubernetes' own schemas, from PyPI, kept in the cache; or why it is missing. */
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

/** The path of a program, or a sentence that says why it is missing. */
export interface Program {
  readonly path?: string | undefined;
  readonly missing?: string | undefined;
}

/** Returns actionlint, which checks workflows as GitHub does. */
export function provideActionlint(): Promise<Program> {
  const version = 'v1.7.12';
  return provideGoProgram({
    name: `actionlint-${version}`,
    get: [`github.com/rhysd/actionlint@${version}`],
    source: 'github.com/rhysd/actionlint/cmd/actionlint',
  });
}

/** Returns the kustomize that `kubectl apply -k` contains. */
export function provideKustomize(): Promise<Program> {
  const version = 'v5.8.2';
  return provideGoProgram({
    name: `kustomize-${version}`,
    get: [`sigs.k8s.io/kustomize/kustomize/v5@${version}`],
    source: 'sigs.k8s.io/kustomize/kustomize/v5',
  });
}

/** Parses a ServiceMonitor with the types of Prometheus' operator, and rejects unknown fields. */
const SERVICE_MONITOR = `package main

import (
	"fmt"
	"io"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = yaml.UnmarshalStrict(text, &monitoringv1.ServiceMonitor{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
`;

export function provideServiceMonitorCheck(): Promise<Program> {
  const version = 'v0.95.2';
  return provideGoProgram({
    name: `service-monitor-${version}`,
    get: [
      `github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring@${version}`,
      'sigs.k8s.io/yaml@v1.6.0',
    ],
    source: '.',
    prepare: (work) => writeFile(join(work, 'main.go'), SERVICE_MONITOR),
  });
}
