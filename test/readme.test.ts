import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './etcd/harness/ports.ts';
import { ETCDCTL, installedEtcd } from './etcd/harness/versions.ts';
import { onlyInLongRuns, slow } from './slow.ts';
import { waitFor } from './support/wait.ts';

// Runs the README and the guides like their reader: every `sh` block of a document in order, in one shell. A `text`
// block after it is the expected output. All documents share a service and a directory.

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Block {
  readonly commands: string;
  readonly output: string | undefined;
}

function blocksOf(markdown: string): Block[] {
  const pattern = /^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;
  return [...markdown.matchAll(pattern)].map(([, commands = '', output]) => ({ commands, output }));
}

/** Masks what differs between runs: tokens, ids, revisions, times, ports, and which node came first. */
function mask(text: string): string {
  const steady = text
    .replace(/\b[0-9a-f]{32}\b/g, 'TOKEN')
    .replace(/\b[0-9a-f]{14,16}\b/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/("(?:createRevision|modRevision|revision)":)"\d+"/g, '$1"N"')
    .replace(/("\w*[iI]ndex":)\d+/g, '$1N')
    .trimEnd();
  return steady.replace(
    /"initialCluster":"([^"]*)"/g,
    (_, list: string) => `"initialCluster":"${list.split(',').sort().join(',')}"`,
  );
}

/** Ports that may be in use on this machine; the service's own port comes first. */
const PORTS = '8087 8088 8089 24379 24380 21379 21380 22379 22380 23379 23380'.split(' ');
const ANY_PORT = new RegExp(PORTS.join('|'), 'g');
/** The last six ports, as a loop over nodes writes them. */
const PORT_OF_NODE = /2\$\{i\}(379|380)/g;

/** Guides whose blocks another test runs, because they need other tools and packages. */
const ELSEWHERE: ReadonlySet<string> = new Set(['go-and-python.md']);

/** Ordered so that each document finds what the earlier ones left. */
const DOCUMENTS = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs', 'guides'))
    .filter((name) => !ELSEWHERE.has(name))
    .map((name) => `docs/guides/${name}`),
  ...(slow
    ? ['replicas-and-etcd.md', 'backup-and-restore.md', 'moving-data.md'].map(
        (name) => `docs/operating/${name}`,
      )
    : []),
];

const textOf = (document: string): string => readFileSync(join(ROOT, document), 'utf8');
const readme = textOf('README.md');

const running: ChildProcess[] = [];

// Not a hook of the file: Node.js 20 runs that one before tests that follow a top-level `await`.
async function endAll(): Promise<void> {
  for (const child of running.splice(0)) await end(child);
}

/** Returns a PATH with `etcd-discovery` on it, as an installed package provides it. */
function withCommand(directory: string): string {
  const main = join(ROOT, 'dist/src/main.cjs');
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
  writeFileSync(join(bin, 'etcd-discovery'), script, { mode: 0o755 });
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

interface Shell {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Whether it has ended, and all of its output has come. */
  readonly isOver: () => boolean;
}

/** Runs a reader's commands in a shell with a process group of its own, which includes background nodes. */
function shell(script: string, cwd: string, env: Record<string, string>): Shell {
  // In one pipe, which keeps the order of both.
  const child = spawn('bash', ['-c', `exec 2>&1\n${script}`], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const over = (): void => {
    isOver = true;
  };
  // At its exit, its last lines may still be on their way. Nodes in the background keep the pipe open.
  child.on('close', over).on('exit', () => setTimeout(over, 2000).unref());
  running.push(child);
  return { child, output: () => output, isOver: () => isOver };
}

/** Ends a shell's process group: a background node can outlive its shell. */
async function end({ pid }: ChildProcess): Promise<void> {
  const send = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return pid !== undefined && process.kill(-pid, signal);
    } catch {
      return false; // the group is empty
    }
  };
  send('SIGTERM');
  await waitFor('the processes of a shell to end', () => !send(0));
}

const isStart = ({ commands }: Block): boolean => commands.startsWith('npm start');
const isTest = ({ commands }: Block): boolean => commands.startsWith('npm test');

test('the README starts with the commands that start and test the service', () => {
  const [start, tests] = blocksOf(readme).map((block) => block.commands.trim());
  assert.equal(start, 'npm start');
  assert.equal(tests, 'npm test', 'the command that runs the tests');
});

const etcd = await installedEtcd();
const absent = etcd.missing ?? (ETCDCTL === undefined && 'needs etcdctl on PATH');

/**
 * Returns the README with the command for etcd 3.4 and 3.5 instead of the default, if this machine has such an etcd.
 */
function forThisEtcd(text: string): string {
  const speaksV3 = etcd.missing === undefined && Number(etcd.series.split('.')[1]) >= 6;
  if (speaksV3) return text;
  const [, line = ''] =
    /^etcd 3\.4 and 3\.5 [^`]*`--discovery-token` with:\n\n```text\n([^\n]*\n)```/m.exec(text) ?? [];
  assert.match(line, /--discovery "\$URL"/);
  return text.replace(/^ *--discovery-token .*\n/m, () => line);
}

test('every command of the README and the guides works as documented', { skip: absent }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-readme-'));
  t.after(async () => {
    await endAll();
    rmSync(directory, { recursive: true, force: true });
  });
  const free = await freePorts(PORTS.length);
  const [port = 0] = free;
  const freeFor = (port: string): string => String(free[PORTS.indexOf(port)]);
  const local = (text: string): string =>
    text.replace(PORT_OF_NODE, (_, end) => `$(sed -n "\${i}p" node-ports-${end})`).replace(ANY_PORT, freeFor);
  for (const end of ['379', '380']) {
    const ports = [1, 2, 3].map((i) => freeFor(`2${i}${end}`));
    writeFileSync(join(directory, `node-ports-${end}`), `${ports.join('\n')}\n`);
  }
  const service = shell('npm start', ROOT, {
    DISC_ADDR: `:${port}`,
    DISC_DATA_DIR: join(directory, 'etcd-discovery-data'),
  });
  await waitFor(`the service to listen:\n${service.output()}`, async () => {
    assert.equal(service.child.exitCode, null, service.output());
    return fetch(`http://localhost:${port}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
  });

  const env = { PATH: withCommand(directory) };
  for (const document of DOCUMENTS) {
    await t.test(document, async () => {
      const text = document === 'README.md' ? forThisEtcd(textOf(document)) : textOf(document);
      const walk = blocksOf(text).filter((block) => !isStart(block) && !isTest(block));
      const marker = '=== block ended ===';
      const script = walk.map(({ commands }) => `${local(commands)}echo '${marker}'\n`).join('');
      const reader = shell(`set -euo pipefail\n${script}wait\n`, directory, env);
      const ended = (): string[] => reader.output().split(`${marker}\n`).slice(0, -1);
      await waitFor(
        'the commands to finish',
        () => ended().length === walk.length || reader.isOver(),
        240_000,
      );
      const printed = ended();
      assert.equal(printed.length, walk.length, `a command failed:\n${reader.output()}`);
      for (const [i, { commands, output }] of walk.entries()) {
        if (output !== undefined) assert.equal(mask(printed[i] ?? ''), mask(local(output)), commands);
      }
    });
  }
});

test('the benchmark runs', {
  skip: onlyInLongRuns,
}, async (t) => {
  t.after(endAll);
  const bench = shell('npm run bench -- --smoke', ROOT, {});
  const [code] = (await once(bench.child, 'exit')) as [number | null];
  assert.equal(code, 0, bench.output());
});
