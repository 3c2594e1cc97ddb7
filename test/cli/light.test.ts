import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningService, startService } from '../support/service.ts';

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
const PROBE = "process.once('exit', () => console.error(JSON.stringify(process.moduleLoadList)))";

let service: RunningService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

/** Returns the modules of Node.js that a call has loaded by its end. */
async function loadedBy(...args: readonly string[]): Promise<string[]> {
  const { stderr } = await exec(process.execPath, ['--import', `data:text/javascript,${PROBE}`, ...args]);
  return JSON.parse(stderr.split('\n').at(-2) ?? '') as string[];
}

for (const [command, ...args] of [['health'], ['new'], ['show', 'TOKEN'], ['delete', 'TOKEN', '--yes']]) {
  test(`${command} loads neither fetch nor TLS, HTTP/2 or workers`, async () => {
    const { stdout } = await exec(process.execPath, [MAIN, 'new', '--quiet', '--server', service.url]);
    const words = [command ?? '', ...args.map((word) => (word === 'TOKEN' ? stdout.trim() : word))];
    // Some versions of Node.js load a part of it in every program.
    const bare = await loadedBy('--eval', '0');
    const loaded = await loadedBy(MAIN, ...words, '--output', 'json', '--server', service.url);
    const heavy = loaded.filter((name) => /undici|tls|http2|worker|zlib/.test(name) && !bare.includes(name));
    assert.deepEqual(heavy, []);
    assert.equal(loaded.includes('NativeModule http'), command !== 'health');
    assert.ok(loaded.includes('NativeModule net'));
  });
}

/** Returns the command's result for a server with this response. */
async function healthOf(status: number, body: string): Promise<{ code: number; stdout: string }> {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = server.address() as AddressInfo;
    const ask = [MAIN, 'health', '--output', 'json', '--server', `http://127.0.0.1:${port}`];
    const { stdout } = await exec(process.execPath, ask);
    return { code: 0, stdout };
  } catch (error) {
    return error as { code: number; stdout: string };
  } finally {
    server.close();
  }
}

test('a response counts only if it is a health response', async () => {
  const serving = await healthOf(200, '{"status":"SERVING"}');
  assert.deepEqual([serving.code, serving.stdout], [0, '{"serving":true}\n']);
  const not = await healthOf(200, '{"status":"NOT_SERVING"}');
  assert.deepEqual([not.code, not.stdout], [1, '{"serving":false}\n']);
  for (const [status, body] of [
    [404, '{"code":"unimplemented"}'],
    [200, '<html>'],
  ] as const) {
    const { code, stdout } = await healthOf(status, body);
    assert.ok(code > 1, `${status} ${body}: ${code}`);
    assert.equal(stdout, '');
  }
});
