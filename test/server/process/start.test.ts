import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDiscoveryClient } from '../../../src/client/node.ts';
import { startService } from '../../../src/server/start.ts';
import { freePorts } from '../../etcd/harness/ports.ts';
import { CA, CA_FILE, IDENTITY, TLS_ARGS } from '../../tls/files.ts';

// A separate place for temporary directories, because other tests create some too.
const temporary = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
process.env['TMPDIR'] = temporary;
after(() => rmSync(temporary, { recursive: true }));

test('two services in one test are independent, and leave nothing behind', async () => {
  {
    await using first = await startService();
    await using second = await startService();
    const token = 'only-here';
    await createDiscoveryClient(first.url).createToken({ token, size: 1 });
    await assert.rejects(createDiscoveryClient(second.url).getCluster({ token }), /no such token|not found/i);
    assert.notEqual(first.port, second.port);
  }
  assert.deepEqual(readdirSync(temporary), []);
});

test('a service keeps the data in a given directory, and uses the given port', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
  const [port = 0] = await freePorts(1);
  const client = createDiscoveryClient(`http://127.0.0.1:${port}`);
  const first = await startService({ port, dataDir });
  await client.createToken({ token: 'kept', size: 1 });
  await first.stop();
  assert.ok(existsSync(dataDir));
  const second = await startService({ port, dataDir, flags: ['--max-size', '1'] });
  assert.equal((await client.getCluster({ token: 'kept' })).cluster?.size, 1);
  await assert.rejects(client.createToken({ size: 2 }), /1 to 1 members/);
  await second.stop();
  rmSync(dataDir, { recursive: true });
});

test('startService throws what prevents the start, and leaves no data behind', async () => {
  await assert.rejects(
    startService({ flags: ['--ttl', 'soon'] }),
    /^TypeError: --ttl "soon": must be a duration/,
  );
  await assert.rejects(startService({ flags: ['--help'] }), TypeError);
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(startService({ port: address.port }), { code: 'EADDRINUSE' });
  other.close();
  assert.deepEqual(readdirSync(temporary), []);
});

test('a service that requires client certificates rejects other clients', async () => {
  await using service = await startService({ flags: [...TLS_ARGS, '--tls-client-ca', CA_FILE] });
  const ask = (client: object): Promise<number> =>
    new Promise((resolve, reject) => {
      get(`${service.url}/livez`, { ca: CA, agent: false, ...client }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  assert.equal(await ask(IDENTITY), 200);
  await assert.rejects(ask({}), /certificate required|socket hang up|ECONNRESET|EPIPE|handshake/i);
});
