import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Maintenance } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { BackingEtcd } from '../etcd/harness/backing.ts';
import { freePorts } from '../etcd/harness/ports.ts';
import { Scene } from '../etcd/harness/scene.ts';
import { Service } from '../etcd/harness/service.ts';
import { installedEtcd } from '../etcd/harness/versions.ts';
import { run } from '../support/child.ts';
import { CA_FILE, CERT_FILE, KEY_FILE } from '../tls/files.ts';

const TLS = ['--etcd-cacert', CA_FILE, '--etcd-cert', CERT_FILE, '--etcd-key', KEY_FILE];
const CALLER = { DISC_ETCD_USER: 'discovery' };

/**
 * Starts the service in a configuration that must fail with a reason in one line. Returns its log, which can only say
 * that it waits.
 */
async function expectRefused(
  args: readonly string[],
  env: Record<string, string>,
  why: RegExp,
): Promise<string> {
  const { code, stdout, stderr } = await run(
    ['serve', '--addr', '127.0.0.1:0', '--log-format', 'json', ...args],
    env,
  );
  assert.match(stderr, why);
  const rest = stdout.replace(/^.*"msg":"waiting for etcd at .*\n/, '');
  assert.deepEqual([code, rest, stderr.split('\n').length], [1, '', 2], stderr);
  return stdout;
}

/** Returns the URL of a gRPC server over HTTP/2 with these services. */
async function serveGrpc(t: TestContext, routes: (router: ConnectRouter) => void): Promise<string> {
  const server = createServer(connectNodeAdapter({ routes }));
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const etcd = await installedEtcd();
const skip = etcd.missing ?? false;

suite('the service reports in one line why it cannot use its etcd', { skip, concurrency: 2 }, () => {
  if (etcd.missing !== undefined) return;

  test('nothing listens there', async () => {
    const [port] = await freePorts(1);
    const log = await expectRefused(
      ['--etcd', `127.0.0.1:${port}`],
      {},
      /^etcd-discovery: --etcd http:\S+: etcd cannot be reached \(ECONN/,
    );
    assert.match(log, /waiting for etcd at/, 'the log of a slow start is not empty');
  });

  test('the scheme, user, password or certificate is wrong', async (t) => {
    const scene = await Scene.open(t);
    const backing = await BackingEtcd.start(scene, { etcd, members: 1, tls: true });
    await backing.enableAuth({ root: 'secret', discovery: 'right' });
    const url = backing.endpoints;
    const right = { ...CALLER, DISC_ETCD_PASSWORD: 'right' };
    await expectRefused(
      ['--etcd', url, ...TLS],
      { ...CALLER, DISC_ETCD_PASSWORD: 'wrong' },
      /rejected the user name or password/,
    );
    // etcd then uses the name in the certificate.
    await expectRefused(['--etcd', url, ...TLS], {}, /permission denied: the etcd user /);
    await expectRefused(
      ['--etcd', url, '--etcd-cert', CERT_FILE, '--etcd-key', KEY_FILE],
      right,
      /certificate is not trusted/,
    );
    await expectRefused(
      ['--etcd', url, '--etcd-cacert', CA_FILE],
      right,
      /requires a client certificate or rejected it/,
    );
    await expectRefused(
      ['--etcd', url.replace('https', 'http')],
      right,
      /if the endpoint uses TLS, write https:/,
    );
    await expectRefused(
      ['--etcd', url, '--etcd-cacert', KEY_FILE],
      right,
      /^etcd-discovery: --etcd-cacert .* does not contain a PEM certificate/,
    );
    await expectRefused(
      ['--etcd', url, ...TLS, '--etcd-user', 'discovery', '--etcd-password-file', '/nowhere'],
      {},
      /^etcd-discovery: --etcd-password-file "\/nowhere": cannot read the file: no such file/,
    );
  });

  test('it has no users, no TLS, or foreign keys', async (t) => {
    const scene = await Scene.open(t);
    const backing = await BackingEtcd.start(scene, { etcd, members: 1 });
    const url = backing.endpoints;
    await expectRefused(
      ['--etcd', url],
      { ...CALLER, DISC_ETCD_PASSWORD: 'x' },
      /authentication is disabled/,
    );
    await expectRefused(
      ['--etcd', url.replace('http', 'https')],
      {},
      /if the endpoint does not use TLS, write http:/,
    );
    const [member] = backing.members;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    await member?.call('kv/put', { key: base64('/ours/a'), value: base64('b') });
    await expectRefused(
      ['--etcd', url, '--etcd-prefix', '/ours'],
      {},
      /has keys under \/ours .* did not write \(etcdctl get --prefix --keys-only \/ours\/ shows them\)/,
    );
    await backing.enableAuth({ root: 'secret' });
    await expectRefused(['--etcd', url], {}, /requires authentication/);
  });

  test('it is too old, or not etcd', async (t) => {
    const old = await serveGrpc(t, (router) => {
      router.service(Maintenance, { status: () => ({ version: '3.3.27' }) });
    });
    await expectRefused(['--etcd', old], {}, /etcd 3\.3\.27 is too old: .* 3\.4 or newer/);
    const other = await serveGrpc(t, () => {});
    await expectRefused(['--etcd', other], {}, /the endpoint is not etcd/);
  });
});

test('the service works over TLS with a client certificate, a user and a password file, and logs in again', {
  skip,
}, async (t) => {
  if (etcd.missing !== undefined) return;
  const scene = await Scene.open(t);
  const backing = await BackingEtcd.start(scene, { etcd, members: 1, tls: true });
  await backing.enableAuth({ root: 'secret', discovery: 'right' });
  const passwordFile = join(scene.directory, 'password');
  await writeFile(passwordFile, 'right\n');
  const store = [
    '--etcd',
    backing.endpoints,
    ...TLS,
    '--etcd-user',
    'discovery',
    '--etcd-password-file',
    passwordFile,
  ];
  const service = await Service.start(scene, [], { store });
  const url = await service.newDiscoveryUrl(3);

  // A restart drops all logins.
  const [member] = backing.members;
  await member?.crash();
  member?.startAgain();
  await scene.until('the service to recover', async () =>
    (await service.fetch('/health')).status === 200 ? true : undefined,
  );
  const { status, text } = await service.fetch(new URL(url).pathname);
  assert.equal(status, 200, text);
  assert.doesNotMatch(service.run.log, /right|secret/);

  const { code, stderr } = await run(['export', '-', ...store], {});
  assert.match(stderr, /^exported: 1 token [^\n]*\nleft out: [^\n]*\n$/);
  assert.equal(code, 0);
});
