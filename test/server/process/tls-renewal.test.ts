import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, suite, test } from 'node:test';
import { connect } from 'node:tls';
import { SpawnedService } from '../../support/child.ts';
import { onPath } from '../../support/debian.ts';
import { waitFor } from '../../support/wait.ts';
import { CA, CA_FILE, IDENTITY, TLS_ARGS } from '../../tls/files.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const skip = onPath('openssl') === undefined && 'openssl, which makes the certificate, is not on PATH';

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Creates a self-signed certificate for localhost and 127.0.0.1. */
function selfSigned(name: string): Identity {
  const [cert, key] = [join(directory, `${name}.pem`), join(directory, `${name}-key.pem`)];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const made = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-addext',
    names,
  ];
  execFileSync('openssl', ['req', '-x509', ...made, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return { cert, key };
}

function commonName(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

suite('renewal of a certificate', { skip }, () => {
  test('a renewed certificate is used from the next connection on, without disturbing waiting clients', async (t) => {
    const [first, second] = [selfSigned('first'), selfSigned('second')];
    const used = { cert: join(directory, 'used.pem'), key: join(directory, 'used-key.pem') };
    const use = ({ cert, key }: Identity): void => {
      for (const [from, to] of [
        [cert, used.cert],
        [key, used.key],
      ] as const) {
        copyFileSync(from, `${to}.new`);
        renameSync(`${to}.new`, to);
      }
    };
    use(first);
    const service = await SpawnedService.start(['--tls-cert', used.cert, '--tls-key', used.key]);
    t.after(() => service.remove());
    const port = Number(new URL(service.url).port);
    assert.equal(await commonName(port), 'first');

    const ask = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        get(`${service.url}${path}`, { rejectUnauthorized: false, agent: false }, (response) => {
          text(response).then(resolve, reject);
        }).on('error', reject);
      });
    const { pathname } = new URL(await ask('/new?size=2'));
    const waiting = ask(`${pathname}?wait=true&recursive=true`);

    use(second);
    await waitFor('the new certificate', async () => (await commonName(port)) === 'second');
    writeFileSync(used.key, 'nonsense');
    await waitFor('the unusable file to be logged', () =>
      service.command
        .log()
        .some(({ msg }) => /^files changed but cannot be used, .*: --tls-key/.test(String(msg))),
    );
    assert.equal(await commonName(port), 'second');
    const response = await fetchRegistration(service.url, pathname);
    assert.equal(response, 201);
    assert.match(await waiting, /infra1/);
  });
});

function fetchRegistration(url: string, pathname: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const options = { method: 'PUT', headers, rejectUnauthorized: false, agent: false };
    const put = request(`${url}${pathname}/1?prevExist=false`, options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    put.on('error', reject);
    put.end('value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380');
  });
}

test('--tls-client-ca rejects clients without a certificate of that CA, and authenticates the others', async (t) => {
  const service = await SpawnedService.start([...TLS_ARGS, '--tls-client-ca', CA_FILE, '--auth', 'all']);
  t.after(() => service.remove());
  const ask = (client: object): Promise<number> =>
    new Promise((resolve, reject) => {
      get(`${service.url}/new?size=1`, { ca: CA, agent: false, ...client }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  assert.equal(await ask(IDENTITY), 200);
  await assert.rejects(ask({}), /certificate required|socket hang up|ECONNRESET|EPIPE|handshake/i);
  if (typeof skip === 'string') {
    t.diagnostic(`not tried with a certificate of another CA: ${skip}`);
    return;
  }
  const other = selfSigned('stranger');
  const stranger = { cert: readFileSync(other.cert), key: readFileSync(other.key) };
  await assert.rejects(ask(stranger), /unknown ca|certificate|socket hang up|ECONNRESET|EPIPE|handshake/i);
});
