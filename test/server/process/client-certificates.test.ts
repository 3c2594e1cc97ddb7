import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { Code, createClient } from '@connectrpc/connect';
import { OperatorService } from '../../../gen/discovery/v1/operator_pb.ts';
import { discoveryTransport } from '../../../src/client/node.ts';
import { parseRevocationList } from '../../../src/port/revocation-list.ts';
import { startService } from '../../../src/server/start.ts';
import { readServerTls } from '../../../src/server/tls-files.ts';
import { SpawnedService } from '../../support/child.ts';
import { onPath } from '../../support/debian.ts';
import { waitFor } from '../../support/wait.ts';
import { Authority, type Signed } from '../../tls/authority.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const skip = onPath('openssl') === undefined && 'openssl, which makes the certificates, is not on PATH';

type ServiceUrl = Readonly<Record<'url', string>>;

/** Returns the response on a connection; empty if it closes. */
function answerOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', () => resolve('')).on('close', () => resolve(''));
    socket.setEncoding('utf8').once('data', resolve);
    socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}

suite('client certificates', { skip }, () => {
  let ours: Authority;
  let server: Signed;
  let [good, bad]: Signed[] = [];
  before(() => {
    ours = new Authority(directory, 'ours');
    server = ours.issue('localhost');
    [good, bad] = [ours.issue('good'), ours.issue('bad')];
  });

  const argsOf = (...more: string[]): string[] => {
    const files = ['--tls-cert', server.certFile, '--tls-key', server.keyFile];
    return [...files, '--auth', 'all', '--tls-client-ca', ...more];
  };
  const start = async (t: TestContext, ...more: string[]): Promise<ServiceUrl> => {
    const service = await startService({ flags: argsOf(...more) });
    t.after(() => service.stop());
    return service;
  };

  /** Sends a request on its own connection. */
  const ask = (service: ServiceUrl, as: Signed | undefined, path = '/new?size=1'): Promise<number> =>
    new Promise((resolve, reject) => {
      const { cert, key } = as ?? {};
      get(`${service.url}${path}`, { ca: ours.ca, cert, key, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  const isRefused = (service: ServiceUrl, as: Signed | undefined): Promise<boolean> =>
    ask(service, as).then(
      () => false,
      () => true,
    );

  /** Opens idle connections and a wait of a client. */
  const holdOpen = async (t: TestContext, service: ServiceUrl, as: Signed | undefined) => {
    const { cert, key } = as ?? {};
    const tls = { ca: ours.ca, cert, key };
    const closed = new Set<string>();
    const session = connectHttp2(service.url, tls);
    session.on('error', () => {}).on('close', () => closed.add('an idle HTTP/2 connection'));
    const socket = connect({ ...tls, host: '127.0.0.1', port: Number(new URL(service.url).port) });
    socket.on('error', () => {}).on('close', () => closed.add('a silent connection'));
    const made = await new Promise<string>((resolve, reject) => {
      const asked = session.request({ ':path': '/new?size=2' });
      asked.setEncoding('utf8').on('data', resolve).on('error', reject);
    });
    const { pathname } = new URL(made.trim());
    const wait = get(
      `${service.url}${pathname}?wait=true&recursive=true`,
      { ...tls, agent: false },
      (response) => {
        response.resume().on('error', () => {});
        response.on('close', () => closed.add('a wait'));
      },
    );
    wait.on('error', () => {});
    await new Promise((resolve) => {
      wait.once('response', resolve);
    });
    t.after(() => {
      session.destroy();
      socket.destroy();
      wait.destroy();
    });
    return closed;
  };
  const EVERYTHING = ['a silent connection', 'a wait', 'an idle HTTP/2 connection'];

  const put = (from: string, to: string): void => {
    copyFileSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  };

  test('a revoked certificate is rejected and its connections close; others keep theirs', async (t) => {
    const crl = join(directory, 'crl.pem');
    writeFileSync(crl, ours.list());
    const service = await SpawnedService.start(argsOf(ours.caFile, '--tls-client-crl', crl));
    t.after(() => service.remove());
    assert.deepEqual([await ask(service, good), await ask(service, bad)], [200, 200]);
    const [ofGood, ofBad] = [await holdOpen(t, service, good), await holdOpen(t, service, bad)];
    ours.revoke(bad as Signed);
    const list = ours.list();
    writeFileSync(`${crl}.new`, list);
    renameSync(`${crl}.new`, crl);
    await waitFor('its connections to close', () => ofBad.size === EVERYTHING.length);
    assert.deepEqual([...ofBad].sort(), EVERYTHING);
    assert.ok(await isRefused(service, bad));
    assert.equal(await ask(service, good), 200);
    assert.deepEqual([...ofGood], []);
    await waitFor('the log to give the reason', () =>
      service.command.log().some(({ reason }) => reason === 'CERT_REVOKED'),
    );
    assert.equal(
      service.command.log().find(({ connections }) => connections !== undefined)?.['connections'],
      3,
    );
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a revoked certificate cannot resume a session of ${version}`, async (t) => {
      const client = ours.issue('resumes');
      const crl = join(directory, `${version}.pem`);
      writeFileSync(crl, ours.list());
      const service = await start(t, ours.caFile, '--tls-client-crl', crl);
      const port = Number(new URL(service.url).port);
      const tls = { host: '127.0.0.1', port, ca: ours.ca, maxVersion: version };
      let session: Buffer | undefined;
      // The files are read again soon after the start, which invalidates earlier sessions.
      await waitFor('a resumed session', async () => {
        const first = connect({ ...tls, cert: client.cert, key: client.key });
        first.on('session', (ticket: Buffer) => {
          session = ticket;
        });
        assert.match(await answerOf(first), /^HTTP\/1.1 200/);
        assert.ok(session !== undefined);
        const second = connect({ ...tls, session });
        return (await answerOf(second)).startsWith('HTTP/1.1 200') && second.isSessionReused();
      });
      ours.revoke(client);
      writeFileSync(`${crl}.new`, ours.list());
      renameSync(`${crl}.new`, crl);
      await waitFor('the list to be read again', () => isRefused(service, client));
      assert.equal(await answerOf(connect({ ...tls, session })), '');
    });
  }

  test('certificates of a replaced CA are rejected, and their connections close', async (t) => {
    const theirs = new Authority(directory, 'theirs');
    const other = theirs.issue('other');
    const ca = join(directory, 'used-ca.pem');
    put(ours.caFile, ca);
    const service = await start(t, ca);
    const open = await holdOpen(t, service, good);
    assert.ok(await isRefused(service, other));
    put(theirs.caFile, ca);
    await waitFor('their connections to close', () => open.size === EVERYTHING.length);
    assert.ok(await isRefused(service, good));
    assert.equal(await ask(service, other), 200);
  });

  test("a certificate with an operator's name lists all clusters, and others do not", async (t) => {
    const ops = ['--tls-client-operator-name', 'ops.example.com'];
    const service = await start(t, ours.caFile, ...ops);
    const client = (of: Signed) => {
      const tls = { ca: ours.ca, cert: of.cert, key: of.key };
      return createClient(OperatorService, discoveryTransport(service.url, { tls })).listClusters({});
    };
    assert.deepEqual((await client(ours.issue('ops.example.com'))).clusters, []);
    assert.deepEqual((await client(ours.issue('x', 'DNS:ops.example.com'))).clusters, []);
    await assert.rejects(client(good as Signed), { code: Code.PermissionDenied });
  });

  test('only certificates with an allowed name are accepted: a common name, or an alternative name of any kind', async (t) => {
    const names = ['good', 'node.example.com', '10.9.8.7', 'spiffe://x/ci', 'ops@example.com'];
    const allowed = [ours.caFile, '--tls-client-allowed-name', names.join(',')];
    const service = await start(t, ...allowed);
    const clients: ReadonlyArray<[status: number, commonName: string, ...names: string[]]> = [
      [200, 'good'],
      [200, 'x', 'DNS:NODE.example.com'],
      [200, 'x', 'IP:10.9.8.7'],
      [200, 'x', 'URI:spiffe://x/ci'],
      [200, 'x', 'email:ops@example.com'],
      [403, 'Good'],
      [403, 'x', 'DNS:good.example.com'],
      [403, 'x', 'DNS:*.example.com'],
      [403, 'x', 'URI:spiffe://x/ci/more'],
      // A name that looks like several names when printed in a line.
      [403, 'x', 'URI:a://b, URI:spiffe://x/ci, c'],
    ];
    for (const [status, commonName, ...alternatives] of clients) {
      const client = ours.issue(commonName, ...alternatives);
      assert.equal(await ask(service, client), status, `${commonName} ${alternatives.join()}`);
    }
    const session = connectHttp2(service.url, { ca: ours.ca, cert: bad?.cert, key: bad?.key });
    await new Promise((resolve) => {
      session.on('error', () => {}).on('close', resolve);
    });
  });

  test('an unusable list is rejected with the reason', () => {
    const crl = join(directory, 'wrong.pem');
    const expired = ours.list('-crl_lastupdate', '20200101000000Z', '-crl_nextupdate', '20200201000000Z');
    for (const [contents, why] of [
      ['nonsense', /--tls-client-crl ".*": .*PEM revocation list/],
      [ours.list().replace(/\n[^-\n]+\n-----END/, '\n-----END'), /cannot parse .*list 1/],
      [expired, /list 1 expired at 2020-02-01T00:00:00\.000Z/],
    ] as const) {
      writeFileSync(crl, contents);
      const files = { certFile: server.certFile, keyFile: server.keyFile, clientCaFile: ours.caFile };
      const refused = readServerTls({ ...files, clientCrlFile: crl });
      assert.ok(typeof refused === 'string');
      assert.match(refused, why);
    }
  });

  test('a list that is truncated anywhere is rejected', () => {
    const der = Buffer.from(ours.list().replaceAll(/-----[^-]+-----/g, ''), 'base64');
    const pem = (bytes: Buffer): string =>
      `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----`;
    assert.ok(parseRevocationList(pem(der)).serials.size > 0);
    for (let length = 0; length < der.length; length += 1) {
      assert.throws(() => parseRevocationList(pem(der.subarray(0, length))), RangeError);
    }
  });
});
