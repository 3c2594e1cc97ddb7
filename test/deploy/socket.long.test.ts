import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../support/child.ts';
import { onPath } from '../support/debian.ts';
import { waitFor } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('../../src/main.cjs', import.meta.url));

/** Stands in for systemd: listens, passes the socket to a process, and restarts that whenever it ends. */
const SYSTEMD = `
import os, socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(4096)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
print('PORT', listener.getsockname()[1], flush=True)
while True:
    child = os.fork()
    if child == 0:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
        os.execv(sys.argv[1], sys.argv[1:])
    print('STARTED', child, flush=True)
    os.waitpid(child, 0)
`;
const skip = onPath('python3') === undefined && 'needs python3 on PATH, which stands in for systemd';

test('a restart on a socket of systemd refuses no connection', { skip }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const args = [MAIN, 'serve', '--data-dir', dataDir, '--log-level', 'warn'];
  // In its own process group, to end the service with it.
  const systemd = spawn('python3', ['-c', SYSTEMD, process.execPath, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  systemd.stdout.on('data', (data: Buffer) => (said += data.toString()));
  t.after(async () => {
    const over = new Promise((resolve) => systemd.once('close', resolve));
    process.kill(-(systemd.pid ?? 0), 'SIGKILL');
    await over;
    rmSync(dataDir, { recursive: true, force: true });
  });
  const started = (): number[] => [...said.matchAll(/STARTED (\d+)\n/g)].map(([, pid]) => Number(pid));
  await waitFor('the socket', () => started().length === 1);
  const url = `http://127.0.0.1:${/PORT (\d+)/.exec(said)?.[1]}`;
  const token = await (await fetch(`${url}/new?size=3`)).text();
  assert.ok(token.startsWith(`${url}/`), token);

  const restarted = new AbortController();
  const statuses: number[] = [];
  const asking = (async () => {
    while (!restarted.signal.aborted) statuses.push(await statusOf(token));
  })();
  process.kill(started()[0] ?? 0, 'SIGTERM');
  await waitFor('the second process to start', () => started().length === 2);
  assert.equal(await statusOf(`${url}/health`), 200);
  await waitFor('some responses', () => statuses.length > 1);
  restarted.abort();
  await asking;
  assert.ok(
    statuses.every((status) => status === 200),
    String(statuses),
  );
});

/** Returns the status of a request on a connection of its own. */
function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    request.once('error', reject);
  });
}

test('rejects sockets that it cannot use, with exit code 2', async () => {
  const script = 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@"';
  const child = spawn('sh', ['-c', script, process.execPath, MAIN, 'serve'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let problem = '';
  child.stderr.on('data', (data: Buffer) => (problem += data.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 2);
  assert.match(problem, /^etcd-discovery: LISTEN_FDS "2": the service accepts one socket; [^\n]+\n$/);
  // The variables name another process, so they are ignored.
  const { stdout } = await run(['serve', '--help'], { LISTEN_PID: '1', LISTEN_FDS: '2' });
  assert.match(stdout, /--addr/);
});
