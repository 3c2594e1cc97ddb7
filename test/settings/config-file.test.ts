import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { Config } from '../../src/settings/config.ts';
import { parseConfigFile } from '../../src/settings/config-file.ts';
import type { Env } from '../../src/settings/given.ts';
import { readServeArguments } from '../../src/settings/serve-arguments.ts';
import { SETTINGS, type Setting } from '../../src/settings/settings.ts';
import { run } from '../support/child.ts';

const directory = mkdtempSync(join(tmpdir(), 'etcd-discovery-test-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'config.yaml');

function read(text: string, args: readonly string[] = [], env: Env = {}): Config | string {
  writeFileSync(file, text);
  const reading = readServeArguments(['--config', file, ...args], env);
  assert.notEqual(reading.type, 'HELP');
  if (reading.type === 'CONFIG') return reading.config;
  return reading.type === 'WRONG' ? reading.problem.replaceAll(file, 'FILE') : '';
}

function config(text: string, args?: readonly string[], env?: Env): Config {
  const got = read(text, args, env);
  return typeof got === 'string' ? assert.fail(got) : got;
}

suite('a configuration file', () => {
  test('variables override the file, and flags override both', () => {
    const text = 'ttl: 3d\nmax-size: 5\nmax-tokens: 7\n';
    const { policy } = config(text, ['--ttl', '1d'], { DISC_TTL: '2d', DISC_MAX_SIZE: '6' });
    assert.deepEqual([policy.defaultTtl, policy.maxSize, policy.maxTokens], [86_400_000, 6, 7]);
  });

  test('DISC_CONFIG names the file, which may be empty', () => {
    for (const text of ['', '# nothing\n', '---\n']) assert.equal(config(text).workers, 1);
    writeFileSync(file, 'max-size: 4\n');
    const reading = readServeArguments([], { DISC_CONFIG: file });
    assert.equal(reading.type === 'CONFIG' && reading.config.policy.maxSize, 4);
  });

  test('accepts every setting except --config, by the name of its flag', () => {
    for (const setting of Object.values<Setting<unknown>>(SETTINGS)) {
      if (setting.flag === 'config') continue;
      const name = setting.flag ?? 'etcd-password';
      const { givens, problems } = parseConfigFile(`${name}: x\n`, 'f');
      assert.deepEqual([[...givens.values()], problems], [[{ source: `f:1: ${name}`, text: 'x' }], []]);
    }
  });

  test("accepts lists instead of commas, and YAML's spellings of values", () => {
    const { trustedProxies, store, policy } = config(
      'etcd: [http://a:1, "http://b:2"]\ntrusted-proxies:\n  - 10.0.0.0/8\n  - 192.0.2.7\ncustom-tokens: off\nttl: "24h" # a day\n',
    );
    assert.equal(trustedProxies?.check('192.0.2.7'), true);
    assert.deepEqual(store.type === 'ETCD' && store.endpoints, ['http://a:1', 'http://b:2']);
    assert.deepEqual([policy.customTokens, policy.defaultTtl], [false, 86_400_000]);
  });

  const WRONG: ReadonlyArray<[text: string, problem: RegExp]> = [
    ['adr: :1\n', /^FILE:1: .*"adr".*; did you mean addr\?$/],
    ['# a\n\ndata_dir: /a\n', /^FILE:3: .*"data_dir".*; did you mean data-dir\?$/],
    ['DISC_ADDR: :1\n', /; did you mean addr\?$/],
    ['--addr: :1\n', /; did you mean addr\?$/],
    ['minage: 3d\n', /; did you mean ttl\?$/],
    ['config: other.yaml\n', /cannot name another one$/],
    ['ttl: 1d\naddr: :1\nttl: 2d\n', /^FILE:3: ttl .*FILE:1$/],
    ['ttl: 5 parsecs\n', /^FILE:1: ttl "5 parsecs": .*duration/],
    ['ttl:\n', /^FILE:1: ttl: .*empty.* duration/],
    ['ttl: ""\n', /^FILE:1: ttl: .*empty/],
    ['addr: [":1", ":2"]\n', /^FILE:1: addr: .*list.* host:port/],
    ['etcd: []\n', /^FILE:1: etcd: .*list/],
    ['etcd: [[a]]\n', /^FILE:1: etcd: .*list/],
    ['addr: {a: b}\n', /^FILE:1: addr: .*mapping/],
    ['addr: &a :1\nhost: *a\n', /^FILE:2: host: .*alias/],
    ['<<: {addr: :1}\n', /^FILE:1: .*"<<"/],
    ['- addr\n', /^FILE:1: .*"name: value"/],
    ['addr\n', /^FILE:1: .*"name: value"/],
    ['? [a]\n: b\n', /^FILE:1: .*name of a setting/],
    ['ttl: 1d\naddr: [\n', /^FILE:3: Flow sequence/],
    ['addr: "x\n', /^FILE:2: Missing closing "quote$/],
    ['addr: :1\n---\nttl: 1d\n', /^FILE:2: .*second document/],
    ['addr: !!int 3\n', /^FILE:1: .*tag/],
    ['['.repeat(30_000), /^FILE:\d+: .*nested too deep/],
    ['ttl: 10s\nmin-ttl: 1h\n', /^FILE:1: ttl "10s": .* \(FILE:2: min-ttl "1h"\)$/],
    [`# ${'x'.repeat(70_000)}\n`, /^--config "FILE": .*larger than 65536 bytes$/],
  ];
  for (const [text, problem] of WRONG) {
    test(`is rejected: ${JSON.stringify(text.slice(0, 40))}`, () => {
      const got = read(text);
      assert.match(typeof got === 'string' ? got : 'accepted', problem);
    });
  }

  test('is rejected when it is missing or not a file', () => {
    for (const [path, problem] of [
      [join(directory, 'missing.yaml'), 'cannot read the file: no such file or directory'],
      [directory, 'cannot read the file: it is a directory'],
    ] as const) {
      const reading = readServeArguments(['--config', path], {});
      const named = `--config ${JSON.stringify(path)}`;
      assert.deepEqual(reading, { type: 'UNREADABLE', problem: `${named}: ${problem}` });
    }
  });

  test('must not be readable by others when it contains a password', () => {
    const text = 'etcd: http://a:1\netcd-user: u\netcd-password: secret\n';
    writeFileSync(file, text);
    chmodSync(file, 0o644);
    const open = read(text);
    if (typeof open !== 'string') assert.fail('it was accepted');
    assert.match(open, /password.*chmod o-r/);
    assert.doesNotMatch(open, /secret/);
    chmodSync(file, 0o640);
    const { store } = config(text);
    assert.deepEqual(store.type === 'ETCD' && store.user, { name: 'u', password: 'secret' });
    chmodSync(file, 0o644);
  });

  test('configures the data commands, and .env does not', async () => {
    writeFileSync(file, `data-dir: ${join(directory, 'data')}\n`);
    const { code, stderr } = await run(['check', '--config', file]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`there is no data in ${join(directory, 'data')};`));
    writeFileSync(join(directory, '.env'), 'DISC_MAX_SIZE=0\n');
    const before = process.cwd();
    process.chdir(directory);
    try {
      assert.equal(config('').policy.maxSize, 1000);
    } finally {
      process.chdir(before);
    }
  });
});
