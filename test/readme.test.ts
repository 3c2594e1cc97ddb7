import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from './etcd/harness/ports.ts';
import { ETCDCTL, installedEtcd } from './etcd/harness/versions.ts';
import { slow } from './slow.ts';
import { settingsTable } from './support/settings-table.ts';
import { waitFor } from './support/wait.ts';

// Runs the README as its reader would: every `sh` block, in order, in one shell; a `text` block after it is
// what it must print.

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Block {
  readonly commands: string;
  readonly output: string | undefined;
}

function blocksOf(markdown: string): Block[] {
  const pattern = /^```sh\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm;
  return [...markdown.matchAll(pattern)].map(([, commands = '', output]) => ({ commands, output }));
}

/** What differs from run to run: tokens, ids, revisions, times, ports, and who came first. */
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

/** Those that may be taken on this machine; the service's own first. */
const PORTS = '8087 8088 8089 24379 24380 21379 21380 22379 22380 23379 23380'.split(' ');
const ANY_PORT = new RegExp(PORTS.join('|'), 'g');
/** The last six, as a loop over nodes writes them. */
const PORT_OF_NODE = /2\$\{i\}(379|380)/g;

const markdown = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = blocksOf(markdown);
const running: ChildProcess[] = [];

// Not a hook of the file: Node.js 20 runs that one before the tests that stand after a top-level `await`.
async function endAll(): Promise<void> {
  for (const child of running.splice(0)) await end(child);
}

/** A PATH with `etcd-discovery` on it, as an installed package has it. */
function withCommand(directory: string): string {
  const main = join(ROOT, 'dist/src/main.js');
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
  writeFileSync(join(bin, 'etcd-discovery'), script, { mode: 0o755 });
  return `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
}

interface Shell {
  readonly child: ChildProcess;
  readonly output: () => string;
}

/** A shell for a reader's commands, in a process group of its own: nodes in the background are in it too. */
function shell(script: string, cwd: string, env: Record<string, string>): Shell {
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  running.push(child);
  return { child, output: () => output };
}

/** Ends all of a shell's process group: a node in the background outlives its shell for a while. */
async function end({ pid }: ChildProcess): Promise<void> {
  const send = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return pid !== undefined && process.kill(-pid, signal);
    } catch {
      return false; // nobody of the group is left
    }
  };
  send('SIGTERM');
  await waitFor('the processes of a shell to end', () => !send(0));
}

const isStart = ({ commands }: Block): boolean => commands.startsWith('npm start');
const isTest = ({ commands }: Block): boolean => commands.startsWith('npm test');
const isBench = ({ commands }: Block): boolean => commands.startsWith('npm run bench');

test('the README starts and tests the service with one command each', () => {
  const commands = blocks.map((block) => block.commands.trim());
  assert.ok(commands.includes('npm start'));
  assert.ok(commands.includes('npm test'), 'the command that runs this test');
});

const { missing } = await installedEtcd();
const absent = missing ?? (ETCDCTL === undefined && 'the walk needs etcdctl on PATH');

test('the table of settings is that of the program', () => {
  assert.ok(markdown.includes(settingsTable()), `the README needs this table:\n${settingsTable()}`);
});

test('every command of the README does what it says', { skip: absent }, async (t) => {
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

  const walk = blocks.filter((block) => !isStart(block) && !isTest(block) && !isBench(block));
  const marker = '=== block ended ===';
  const script = walk.map(({ commands }) => `${local(commands)}echo '${marker}'\n`).join('');
  const reader = shell(`set -euo pipefail\n${script}wait\n`, directory, { PATH: withCommand(directory) });
  const ended = (): string[] => reader.output().split(`${marker}\n`).slice(0, -1);
  await waitFor(
    'the commands to be done',
    () => ended().length === walk.length || reader.child.exitCode !== null,
    240_000,
  );
  const printed = ended();
  assert.equal(printed.length, walk.length, `a command failed:\n${reader.output()}`);
  for (const [i, { commands, output }] of walk.entries()) {
    if (output !== undefined) assert.equal(mask(printed[i] ?? ''), mask(local(output)), commands);
  }
});

test('the benchmark of the README runs', {
  skip: !slow && 'only in a long run: npm test -- --slow',
}, async (t) => {
  t.after(endAll);
  const bench = shell('npm run bench -- --smoke', ROOT, {});
  const [code] = (await once(bench.child, 'exit')) as [number | null];
  assert.equal(code, 0, bench.output());
});
