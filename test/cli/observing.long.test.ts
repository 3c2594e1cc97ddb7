import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freePorts } from '../etcd/harness/ports.ts';
import { run, SpawnedService } from '../support/child.ts';
import { waitFor } from '../support/wait.ts';

const started: SpawnedService[] = [];
after(async () => {
  for (const service of started) await service.remove();
});

async function start(...args: string[]): Promise<SpawnedService> {
  const service = await SpawnedService.start(args);
  started.push(service);
  return service;
}

const isProbe = ({ path }: Record<string, unknown>): boolean => path === '/livez';

test('SIGUSR2 switches the log level to debug at run time, and back', async () => {
  const { url, command } = await start('--log-level', 'info');
  const said = (): number => command.log().filter(({ msg }) => String(msg).startsWith('SIGUSR2: ')).length;
  await fetch(`${url}/livez`);
  command.child.kill('SIGUSR2');
  await waitFor('the log level debug', () => said() === 1);
  await fetch(`${url}/livez`);
  await waitFor('the log line of a probe', () => command.log().some(isProbe));
  command.child.kill('SIGUSR2');
  await waitFor('the previous log level', () => said() === 2);
  await fetch(`${url}/livez`);
  await fetch(`${url}/livez`);
  assert.equal(command.log().filter(isProbe).length, 1);
  assert.equal(command.log().at(-1)?.['msg'], 'SIGUSR2: log level restored to info');
});

test('--metrics-addr serves the metrics and the probes, and the main address stops serving metrics', async () => {
  const service = await start('--metrics-addr', '127.0.0.1:0');
  const { url, command } = service;
  const metrics = String(command.log().find(({ msg }) => msg === 'serving')?.['metrics']);
  const get = async (at: string): Promise<[number, string]> => {
    const answer = await fetch(at);
    return [answer.status, await answer.text()];
  };
  await get(`${url}/new?size=3`);
  const [status, text] = await get(metrics);
  assert.equal(status, 200);
  assert.match(text, /^discovery_requests_total\{surface="v2",method="GET",code="200"\} 1$/m);
  assert.deepEqual(await get(`${url}/metrics`), [
    404,
    'Metrics are served on the address of --metrics-addr.\n',
  ]);
  for (const base of [url, new URL(metrics).origin]) {
    assert.deepEqual(await get(`${base}/livez`), [200, 'OK']);
    assert.deepEqual(await get(`${base}/readyz`), [200, 'OK']);
  }
  for (const path of ['/new?size=3', '/', '/discovery.v1.DiscoveryService/CreateToken']) {
    assert.equal((await get(new URL(path, metrics).href))[0], 404, path);
  }
  assert.deepEqual(await service.end(), { code: 0, signal: null });
});

test('a metrics address that is in use, or that the service uses itself, is an error of one line', async () => {
  const { url } = await start();
  const [port = 0] = await freePorts(1);
  const taken = new URL(url).host;
  const other = ['serve', '--addr', `127.0.0.1:${port}`, '--data-dir', '/nonexistent/etcd-discovery'];
  const same = await run([...other, '--metrics-addr', `127.0.0.1:${port}`]);
  assert.equal(same.code, 2);
  assert.match(same.stderr, /--metrics-addr "127.0.0.1:\d+": .*address of the service itself/);
  const directory = started[0]?.dataDir ?? '';
  await started[0]?.end();
  const busy = await run([
    'serve',
    '--addr',
    `127.0.0.1:${port}`,
    '--data-dir',
    directory,
    '--metrics-addr',
    taken,
  ]);
  assert.deepEqual(
    [busy.code, busy.stderr],
    [
      1,
      `etcd-discovery: cannot listen on ${taken}: the address is already in use; stop the other process, or choose another address with --metrics-addr\n`,
    ],
  );
});
