import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SpawnedService } from '../support/child.ts';
import { needCommands } from '../support/debian.ts';
import { waitFor } from '../support/wait.ts';

const skip = (await needCommands({ 'systemd-notify': 'systemd', python3: 'python3' })) ?? false;

/** Stands in for systemd's end: prints each message, and closes the descriptors that come with a barrier. */
const RECEIVER = `
import array, os, socket, sys
name = sys.argv[1]
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind("\\0" + name[1:] if name.startswith("@") else name)
print("bound", flush=True)
while True:
    data, passed, _, _ = end.recvmsg(4096, socket.CMSG_SPACE(64))
    for _, _, fds in passed:
        for fd in array.array("i", fds[: len(fds) - len(fds) % 4]):
            os.close(fd)
    print(data.decode(), flush=True)
`;

/** Starts a receiver at NOTIFY_SOCKET. Returns the messages that it gets. */
async function receiverAt(t: TestContext, name: string): Promise<readonly string[]> {
  const child = spawn('python3', ['-c', RECEIVER, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const messages: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => messages.push(...text.trim().split('\n')));
  await waitFor('the receiver to be bound', () => messages.includes('bound'));
  return messages;
}

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

for (const [what, name] of [
  ['a path', join(directory, 'notify.sock')],
  ['an abstract name', `@etcd-discovery-test-${randomBytes(8).toString('hex')}`],
] as const) {
  test(`tells systemd at ${what} that the service is ready, and that it stops`, { skip }, async (t) => {
    const messages = await receiverAt(t, name);
    const service = await SpawnedService.start([], { env: { NOTIFY_SOCKET: name } });
    t.after(() => service.remove());
    await waitFor('READY=1', () => messages.includes('READY=1'));
    assert.ok(!messages.includes('STOPPING=1'));
    await service.end('SIGTERM');
    await waitFor('STOPPING=1', () => messages.includes('STOPPING=1'));
  });
}

test('the service keeps running when it cannot reach systemd, and logs why', async (t) => {
  const service = await SpawnedService.start([], { env: { NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' } });
  t.after(() => service.remove());
  const warned = (): boolean =>
    service.command.log().some(({ level, msg }) => level === 'warn' && /READY=1/.test(String(msg)));
  await waitFor('the warning', warned);
  assert.equal((await fetch(`${service.url}/health`)).status, 200);
});
