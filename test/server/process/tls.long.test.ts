import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../../gen/discovery/v1/service_pb.ts';
import { Cluster } from '../../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { readCaFile } from '../../../src/server/tls-files.ts';
import { openStream } from '../../port/support/clients.ts';
import { run, SpawnedService } from '../../support/child.ts';
import { CA, CERT_FILE, IDENTITY, KEY_FILE, TLS_ARGS } from '../../tls/files.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

suite('a service with a certificate', () => {
  let service: SpawnedService;
  let authority: string;
  before(async () => {
    service = await SpawnedService.start(TLS_ARGS);
    authority = `localhost:${new URL(service.url).port}`;
  });
  after(() => service.remove());

  /** Returns the body, over HTTP/1.1 and over HTTP/2. */
  async function bodies(path: string): Promise<string[]> {
    const overHttp1 = new Promise<string>((resolve, reject) => {
      get(`https://${authority}${path}`, { ca: CA, agent: false }, (response) => {
        text(response).then(resolve, reject);
      }).on('error', reject);
    });
    const session = connect(`https://${authority}`, { ca: CA });
    const { body } = await openStream(session, path);
    const overHttp2 = await body;
    session.close();
    return [await overHttp1, overHttp2];
  }

  test('shows https URLs', async () => {
    const serving = service.command.log().find((line) => line['msg'] === 'serving');
    assert.match(service.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(serving?.['next'], `curl '${service.url}/new?size=3'`);
    for (const url of await bodies('/new?size=1')) {
      assert.match(url, new RegExp(`^https://${authority}/[0-9a-f]{32}$`));
    }
    for (const page of await bodies('/')) {
      assert.ok(page.includes(`curl 'https://${authority}/new?size=3'`), page);
      assert.doesNotMatch(page, /http:/);
    }
  });

  test('serves gRPC, and Connect over HTTP/1.1', async () => {
    const options = { baseUrl: `https://${authority}`, nodeOptions: { ca: CA } };
    const grpc = createGrpcTransport(options);
    const { cluster } = await createClient(DiscoveryService, grpc).createToken({ size: 2 });
    const token = cluster?.token ?? '';
    const connect = createClient(
      DiscoveryService,
      createConnectTransport({ ...options, httpVersion: '1.1' }),
    );
    assert.equal((await connect.getCluster({ token })).cluster?.size, 2);
    const { members } = await createClient(Cluster, grpc).memberList({});
    assert.deepEqual(members[0]?.clientURLs, [`https://${authority}`]);
  });

  test('does not serve plaintext', async () => {
    const answer = await fetch(`http://${authority}/health`);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /https:\/\//);
  });

  test('exits normally on SIGTERM', async () => {
    assert.deepEqual(await service.end(), { code: 0, signal: null });
  });
});

suite('an unusable file is reported in one line with its name, and exit code 1', () => {
  const file = (name: string, content: string | Buffer): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const absent = join(directory, 'absent.pem');
  const options = { type: 'pkcs8', format: 'pem' } as const;
  const { privateKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = file('other.pem', ec.export(options));
  const rsa = file('rsa.pem', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(options));
  const locked = file('locked.pem', ec.export({ ...options, cipher: 'aes-256-cbc', passphrase: 'x' }));
  const rubbish = file('rubbish.pem', 'not PEM\n');

  const NOT_OF = `: the key does not match the first certificate in --tls-cert "${CERT_FILE}"`;
  const NO_CERTIFICATE = ': the file does not contain a PEM certificate';
  const NO_KEY = ': the file does not contain a PEM private key without a passphrase';
  const ROWS: ReadonlyArray<[name: string, cert: string, key: string, line: string]> = [
    [
      'no certificate',
      absent,
      KEY_FILE,
      `--tls-cert "${absent}": cannot read the file: no such file or directory`,
    ],
    ['no key', CERT_FILE, absent, `--tls-key "${absent}": cannot read the file: no such file or directory`],
    [
      'a directory',
      CERT_FILE,
      directory,
      `--tls-key "${directory}": cannot read the file: illegal operation on a directory`,
    ],
    ['an invalid certificate', rubbish, KEY_FILE, `--tls-cert "${rubbish}"${NO_CERTIFICATE}`],
    ['certificate and key swapped', KEY_FILE, CERT_FILE, `--tls-cert "${KEY_FILE}"${NO_CERTIFICATE}`],
    ['an invalid key', CERT_FILE, rubbish, `--tls-key "${rubbish}"${NO_KEY}`],
    ['a key with a passphrase', CERT_FILE, locked, `--tls-key "${locked}"${NO_KEY}`],
    ['the key of another certificate', CERT_FILE, other, `--tls-key "${other}"${NOT_OF}`],
    ['a key of another type', CERT_FILE, rsa, `--tls-key "${rsa}"${NOT_OF}`],
  ];
  for (const [name, cert, key, line] of ROWS) {
    test(name, async () => {
      const args = ['--tls-cert', cert, '--tls-key', key, '--data-dir', join(directory, 'never')];
      const result = await run(['serve', '--addr', '127.0.0.1:0', ...args]);
      assert.deepEqual(result, { code: 1, stdout: '', stderr: `etcd-discovery: ${line}\n` });
    });
  }

  test('CAs of which one is invalid or not PEM', () => {
    const ca = CA.toString();
    const verdict = (name: string, content: string | Buffer) => {
      const path = file(name, content);
      const read = readCaFile(path, '--tls-client-ca');
      return typeof read === 'string' ? read.replace(`--tls-client-ca "${path}": `, '') : 'READ';
    };
    assert.equal(verdict('ca.pem', ca), 'READ');
    assert.equal(verdict('two.pem', `# ours\n${ca}\n# theirs\n${IDENTITY.cert.toString()}`), 'READ');
    assert.match(verdict('der.pem', new X509Certificate(ca).raw), /PEM certificate/);
    assert.match(verdict('cut.pem', `${ca}\n${ca.slice(0, 200)}`), /certificate 2$/);
    assert.match(verdict('bad.pem', `${ca}${ca.replace(/\n[A-Za-z]{4}/, '\n!!!!')}${ca}`), /certificate 2$/);
  });

  test('half of the setting is a usage error with exit code 2', async () => {
    const { code, stderr } = await run(['serve', '--tls-cert', CERT_FILE]);
    assert.equal(code, 2);
    assert.match(stderr, /^etcd-discovery: --tls-cert ".*": .*--tls-key \(DISC_TLS_KEY\)\n$/);
  });
});
