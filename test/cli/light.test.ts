import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningService, startService } from '../support/service.ts';

const exec = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../../dist/src/main.cjs', import.meta.url));
const PROBE = `process.once('exit', () => {
  const loaded = process.moduleLoadList.map((name) => name.replace('NativeModule ', ''));
  console.error(JSON.stringify([loaded, Object.keys(require.cache)]));
})`;

let service: RunningService;
let probe: string;
let token: string;
/** The modules that Node.js loads in every program. */
let bare: readonly string[];
before(async () => {
  service = await startService();
  probe = join(mkdtempSync(join(tmpdir(), 'etcd-discovery-test-')), 'probe.cjs');
  writeFileSync(probe, PROBE);
  token = (await service.client.createToken({ size: 3 })).cluster?.token ?? '';
  [bare] = await loadedBy('--eval', '0');
});
after(async () => {
  rmSync(dirname(probe), { recursive: true });
  await service.stop();
});

/** Returns the modules of Node.js that a call has loaded by its end, and the files. */
async function loadedBy(...args: readonly string[]): Promise<[builtins: string[], files: string[]]> {
  const env = { ...process.env, DISC_SERVER: service.url };
  const { stderr } = await exec(process.execPath, ['--require', probe, ...args], { env });
  return JSON.parse(stderr.split('\n').at(-2) ?? '') as [string[], string[]];
}

/** Returns what a command has loaded that Node.js does not load in every program. */
async function ownOf(words: readonly string[]): Promise<string[]> {
  const [loaded, files] = await loadedBy(MAIN, ...words.map((word) => (word === 'TOKEN' ? token : word)));
  const command = files.slice(2).map((path) => relative(dirname(MAIN), path));
  const name = words[0]?.replace(/^--/, '') ?? '';
  assert.deepEqual(files.slice(0, 2), [probe, MAIN]);
  assert.deepEqual(command, name === 'help' ? [] : [join('parts', `${name}.cjs`)]);
  return loaded.filter((name) => !bare.includes(name));
}

for (const words of [['--help'], ['--version'], ['version', '--output', 'json'], ['new', '--help']]) {
  test(`${words.join(' ')} loads no stream`, async () => {
    const own = await ownOf(words);
    assert.deepEqual(
      own.filter((name) => !/parse_args|fs|uv/.test(name)),
      [],
    );
  });
}

for (const words of [['health'], ['new'], ['show', 'TOKEN'], ['list-members', 'TOKEN']]) {
  test(`${words.join(' ')} loads a socket, and neither an HTTP client nor crypto, a resolver or a parser`, async () => {
    const own = await ownOf(words);
    assert.ok(own.includes('net'));
    const heavy = /http|tls|crypto|dns|undici|worker|zlib|parse_args|fetch|sync_write|esm/;
    assert.deepEqual(
      own.filter((name) => heavy.test(name)),
      [],
    );
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
