import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Config } from '../../src/settings/config.ts';
import type { Env } from '../../src/settings/given.ts';
import { readServeArguments, type ServeReading } from '../../src/settings/serve-arguments.ts';
import { SETTINGS, type Setting } from '../../src/settings/settings.ts';
import { formatDuration, parseDuration } from '../../src/values/duration.ts';
import { covers, type Ip } from '../../src/values/ip.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function config(args: readonly string[], env: Env = {}): Config {
  const reading = readServeArguments(args, env);
  assert.ok(reading.type === 'CONFIG', JSON.stringify(reading));
  return reading.config;
}

function problem(args: readonly string[], env: Env = {}): string {
  const reading: ServeReading = readServeArguments(args, env);
  assert.ok(reading.type === 'WRONG', JSON.stringify(reading));
  return reading.problem;
}

const every: readonly Setting<unknown>[] = Object.values(SETTINGS);

test('an empty configuration works', () => {
  assert.deepEqual(config([]), {
    listen: { host: undefined, port: 8087 },
    metricsListen: undefined,
    publicUrl: undefined,
    tls: undefined,
    auth: { mode: 'off', file: undefined },
    store: { type: 'EMBEDDED', dataDir: 'etcd-discovery-data' },
    policy: {
      maxSize: 1000,
      defaultTtl: 7 * DAY,
      minTtl: MINUTE,
      maxTtl: 365 * DAY,
      retention: 7 * DAY,
      maxTokens: 2_000_000,
      maxBytes: 4 * 1024 ** 3,
      customTokens: true,
    },
    limits: {
      perClient: {
        requests: 'off',
        newTokens: { burst: 1000, interval: SECOND },
        bytes: { burst: 16 * 1024 ** 2, interval: 60_000 / 1024 ** 2 },
        connections: 5000,
        requestsAtOnce: 10_000,
        watches: 5000,
      },
      connections: 20_000,
      watches: 40_000,
      requestsAtOnce: 50_000,
    },
    trustedProxies: undefined,
    sweepInterval: 5 * MINUTE,
    workers: 1,
    pollLimit: 45 * SECOND,
    grace: 10 * SECOND,
    logLevel: 'info',
    logFormat: 'auto',
  });
});

// One value of each setting that is not its default, and where it must show up.
const GOOD: ReadonlyArray<[flag: string, text: string, shown: (config: Config) => unknown, value: unknown]> =
  [
    ['addr', ':80', (c) => c.listen, { host: undefined, port: 80 }],
    ['addr', ':0', (c) => c.listen, { host: undefined, port: 0 }],
    ['addr', 'localhost:9000', (c) => c.listen, { host: 'localhost', port: 9000 }],
    ['addr', '127.0.0.1:9000', (c) => c.listen, { host: '127.0.0.1', port: 9000 }],
    ['addr', '[::1]:65535', (c) => c.listen, { host: '::1', port: 65535 }],
    ['metrics-addr', '127.0.0.1:9087', (c) => c.metricsListen, { host: '127.0.0.1', port: 9087 }],
    ['host', 'https://disc.example.com', (c) => c.publicUrl, 'https://disc.example.com'],
    ['host', 'http://Disc.example.com:8087/', (c) => c.publicUrl, 'http://disc.example.com:8087'],
    ['host', 'http://[::1]:8087', (c) => c.publicUrl, 'http://[::1]:8087'],
    ['data-dir', '/var/lib/discovery', (c) => c.store, { type: 'EMBEDDED', dataDir: '/var/lib/discovery' }],
    ['gcfreq', '1m', (c) => c.sweepInterval, MINUTE],
    ['ttl', '24h', (c) => c.policy.defaultTtl, DAY],
    ['minage', '24h', (c) => c.policy.defaultTtl, DAY],
    ['min-ttl', '10s', (c) => c.policy.minTtl, 10 * SECOND],
    ['max-ttl', '10d', (c) => c.policy.maxTtl, 10 * DAY],
    ['retention', '0s', (c) => c.policy.retention, 0],
    ['max-size', '9', (c) => c.policy.maxSize, 9],
    ['max-tokens', '100', (c) => c.policy.maxTokens, 100],
    ['custom-tokens', 'off', (c) => c.policy.customTokens, false],
    ['client-bytes', 'off', (c) => c.limits.perClient.bytes, 'off'],
    [
      'client-bytes',
      '1KiB/s:2.5MB',
      (c) => c.limits.perClient.bytes,
      { burst: 2_500_000, interval: SECOND / 1024 },
    ],
    ['data-max-bytes', '10MiB', (c) => c.policy.maxBytes, 10 * 1024 ** 2],
    ['client-new-tokens', 'off', (c) => c.limits.perClient.newTokens, 'off'],
    ['client-new-tokens', '60/m:5', (c) => c.limits.perClient.newTokens, { burst: 5, interval: SECOND }],
    ['client-requests', '100/s:500', (c) => c.limits.perClient.requests, { burst: 500, interval: 10 }],
    ['client-requests', '1/h:1', (c) => c.limits.perClient.requests, { burst: 1, interval: HOUR }],
    ['client-at-once', '7', (c) => c.limits.perClient.requestsAtOnce, 7],
    ['client-connections', '8', (c) => c.limits.perClient.connections, 8],
    ['max-at-once', '9', (c) => c.limits.requestsAtOnce, 9],
    ['client-watches', '6', (c) => c.limits.perClient.watches, 6],
    ['max-watches', '4', (c) => c.limits.watches, 4],
    ['max-connections', '10', (c) => c.limits.connections, 10],
    [
      'trusted-proxies',
      '10.0.0.0/8,2001:db8::1',
      (c) => ['10.1.2.3', '2001:db8::1', '11.0.0.1'].map((ip) => covers(c.trustedProxies, ip as Ip)),
      [true, true, false],
    ],
    ['poll-limit', '90s', (c) => c.pollLimit, 90 * SECOND],
    ['grace', '1h', (c) => c.grace, HOUR],
    ['log-level', 'debug', (c) => c.logLevel, 'debug'],
    ['log-format', 'json', (c) => c.logFormat, 'json'],
  ];

const NAMES = every.flatMap(({ flag, short, env, old }) => [
  { flag, short, env },
  ...(old === undefined ? [] : [old]),
]);

suite('each setting', () => {
  for (const [flag, text, shown, value] of GOOD) {
    test(`--${flag} ${text} can be given as a flag, a variable and a file entry`, () => {
      const names = NAMES.find((name) => name.flag === flag);
      assert.ok(names);
      assert.deepEqual(shown(config([`--${flag}`, text])), value);
      assert.deepEqual(shown(config([`--${flag}=${text}`])), value);
      assert.deepEqual(shown(config([], { [names.env]: text })), value);
      if (names.short !== undefined) {
        assert.deepEqual(shown(config([`-${names.short}`, text])), value);
        assert.deepEqual(shown(config([`-${names.short}${text}`])), value);
      }
    });
  }

  test('is in the table above, or accepts only one value', () => {
    const tried = new Set(GOOD.map(([flag]) => flag));
    const untried = NAMES.map(({ flag }) => flag).filter((flag) => flag !== undefined && !tried.has(flag));
    assert.deepEqual(untried, [
      'tls-cert',
      'tls-key',
      'auth',
      'auth-file',
      'tls-client-ca',
      'tls-client-crl',
      'tls-client-allowed-name',
      'tls-client-operator-name',
      ...NAMES.map(({ flag }) => flag).filter((flag) => flag?.startsWith('etcd')),
      'config',
      'workers',
    ]);
  });

  test('has a default that its parser accepts', () => {
    for (const { flag, parse, default: preset } of every) {
      if (preset !== undefined) assert.notEqual(parse(preset), undefined, flag);
    }
  });

  test('has unique names', () => {
    for (const part of ['flag', 'short', 'env'] as const) {
      const names = NAMES.map((name) => name[part]).filter((name) => name !== undefined);
      assert.equal(new Set(names).size, names.length, part);
    }
  });
});

const ADDR = 'host:port';
const URL_FORM = 'https://discovery.example.com/disc';
const ETCD = 'https://host:port';
const PREFIX = '/a/b';
const RATE = '1/s:1000';
const CIDRS = '10.0.0.0/8';

/** The start of the message, and the facts that it must contain. */
type Bad = readonly [args: string, env: Env, start: string, ...facts: string[]];

const BAD: readonly Bad[] = [
  ['--addr 8087', {}, '--addr "8087": ', ADDR],
  ['-a localhost', {}, '-a "localhost": ', ADDR],
  ['--addr ::1:8087', {}, '--addr "::1:8087": ', ADDR],
  ['--addr [127.0.0.1]:8087', {}, '--addr "[127.0.0.1]:8087": ', ADDR],
  ['--addr :65536', {}, '--addr ":65536": ', ADDR],
  ['--addr :http', {}, '--addr ":http": ', ADDR],
  ['--addr http://localhost:8087', {}, '--addr "http://localhost:8087": ', ADDR],
  ['--addr=', {}, '--addr "": ', ADDR],
  ['', { DISC_ADDR: 'a b:1' }, 'DISC_ADDR "a b:1": ', ADDR],
  ['--host disc.example.com', {}, '--host "disc.example.com": ', URL_FORM],
  ['--host localhost:8087', {}, '--host "localhost:8087": ', URL_FORM],
  ['--host ftp://disc.example.com', {}, '--host "ftp://disc.example.com": ', URL_FORM],
  ['--host http://', {}, '--host "http://": ', URL_FORM],
  ['--host http://a/a//b', {}, '--host "http://a/a//b": ', URL_FORM],
  [`--host http://a/it's`, {}, `--host "http://a/it's": `, URL_FORM],
  ['--host http://a/?q', {}, '--host "http://a/?q": ', URL_FORM],
  ['--host http://a/#f', {}, '--host "http://a/#f": ', URL_FORM],
  ['', { DISC_HOST: 'http://me:pw@a' }, 'DISC_HOST "http://...@a": ', URL_FORM],
  ['--data-dir=', {}, '--data-dir "": ', 'directory'],
  ['--tls-cert= --tls-key k', {}, '--tls-cert "": ', 'file'],
  ['--tls-cert c', {}, '--tls-cert "c": ', '--tls-key (DISC_TLS_KEY)'],
  ['', { DISC_TLS_KEY: 'k' }, 'DISC_TLS_KEY "k": ', '--tls-cert (DISC_TLS_CERT)'],
  ['--gcfreq 5', {}, '--gcfreq "5": ', 'from 1s to 24d', '168h'],
  ['-g 25d', {}, '-g "25d": ', 'from 1s to 24d'],
  ['--ttl forever', {}, '--ttl "forever": ', 'from 1s to 3650d'],
  ['-m -5m', {}, '-m requires a value: ', 'from 1s to 3650d'],
  ['--minage=-5m', {}, '--minage "-5m": ', 'from 1s to 3650d'],
  ['', { DISC_MINAGE: '168' }, 'DISC_MINAGE "168": ', 'from 1s to 3650d'],
  ['--retention 1y', {}, '--retention "1y": ', 'from 0s to 3650d'],
  ['--poll-limit 500ms', {}, '--poll-limit "500ms": ', 'from 1s to 24d'],
  ['--grace 2h', {}, '--grace "2h": ', 'from 0s to 1h'],
  ['--max-size 0', {}, '--max-size "0": ', 'from 1 to 1000'],
  ['--max-size 3.5', {}, '--max-size "3.5": ', 'from 1 to 1000'],
  ['--max-tokens 1e6', {}, '--max-tokens "1e6": ', 'from 1 to 1000000000'],
  ['--client-requests 100', {}, '--client-requests "100": ', RATE],
  ['--client-requests 0/s:1', {}, '--client-requests "0/s:1": ', RATE],
  ['--data-max-bytes 1', {}, '--data-max-bytes "1": ', 'from 1MiB to 1TiB'],
  ['--client-new-tokens 1/d:10', {}, '--client-new-tokens "1/d:10": ', RATE],
  ['--max-at-once 0', {}, '--max-at-once "0": ', 'from 1 to 1000000'],
  ['--trusted-proxies nginx', {}, '--trusted-proxies "nginx": ', CIDRS],
  ['--trusted-proxies 10.0.0.0/33', {}, '--trusted-proxies "10.0.0.0/33": ', CIDRS],
  ['--trusted-proxies ::1,', {}, '--trusted-proxies "::1,": ', CIDRS],
  ['--custom-tokens yes', {}, '--custom-tokens "yes": ', 'on or off'],
  ['--log-level verbose', {}, '--log-level "verbose": ', 'debug, info, warn or error'],
  ['--log-format xml', {}, '--log-format "xml": ', 'auto, json or text'],
  ['-e http://', {}, '-e "http://": ', ETCD],
  ['--etcd a:1,,b:2', {}, '--etcd "a:1,,b:2": ', ETCD],
  ['--etcd http://a:1/v2', {}, '--etcd "http://a:1/v2": ', ETCD],
  ['--etcd unix://a', {}, '--etcd "unix://a": ', ETCD],
  ['', { DISC_ETCD: 'http://root:secret@a:1' }, 'DISC_ETCD "http://...@a:1": ', ETCD],
  ['--etcd a:99999', {}, '--etcd "a:99999": ', ETCD],
  ['--etcd http://a:1,https://b:1', {}, '--etcd "http://a:1,https://b:1": ', 'http:// or https://'],
  ['-e a -e http://a:1 --etcd-cacert c', {}, '--etcd-cacert: ', 'https://', '-e "http://a:1"'],
  ['--workers 0', {}, '--workers "0": ', 'from 1 to 128'],
  ['-e a --workers 129', {}, '--workers "129": ', 'from 1 to 128'],
  ['--workers 2 --data-dir d', {}, '--workers "2": ', 'embedded store', '--etcd (DISC_ETCD)'],
  ['--etcd a --data-dir d', {}, '--etcd and --data-dir '],
  ['--etcd a', { DISC_DATA_DIR: 'd' }, '--etcd and DISC_DATA_DIR '],
  ['--etcd-prefix /a', {}, '--etcd-prefix: ', '--etcd (DISC_ETCD)'],
  ['', { DISC_ETCD_PASSWORD: 'secret' }, 'DISC_ETCD_PASSWORD: ', '--etcd (DISC_ETCD)'],
  ['-e a --etcd-prefix a', {}, '--etcd-prefix "a": ', PREFIX],
  ['-e a --etcd-prefix /a/', {}, '--etcd-prefix "/a/": ', PREFIX],
  ['-e a --etcd-cert c', {}, '--etcd-cert "c": ', '--etcd-key (DISC_ETCD_KEY)'],
  ['-e a --etcd-key k', {}, '--etcd-key "k": ', '--etcd-cert (DISC_ETCD_CERT)'],
  [
    '-e a --etcd-user root',
    {},
    '--etcd-user: ',
    '--etcd-password-file (DISC_ETCD_PASSWORD_FILE)',
    'DISC_ETCD_PASSWORD',
  ],
  ['-e a --etcd-password-file f', {}, '--etcd-password-file: ', '--etcd-user (DISC_ETCD_USER)'],
  [
    '-e a --etcd-user u --etcd-password-file f',
    { DISC_ETCD_PASSWORD: 'secret' },
    '--etcd-password-file and DISC_ETCD_PASSWORD ',
  ],
  [
    '-e a --etcd-user u --etcd-password secret',
    {},
    '--etcd-password: ',
    'DISC_ETCD_PASSWORD',
    '--etcd-password-file',
  ],
  ['--adr :1', {}, 'unknown flag "--adr"; ', 'did you mean --addr?'],
  ['--port 1', {}, 'unknown flag "--port"; ', 'see etcd-discovery serve --help'],
  ['-x', {}, 'unknown flag "-x"; ', 'see etcd-discovery serve --help'],
  // Go's flag package accepts this form.
  ['-addr :1', {}, '-addr: ', '--addr'],
  ['-addr=:1', {}, '-addr: ', '--addr'],
  ['now', {}, 'unexpected argument "now": ', 'see etcd-discovery serve --help'],
  ['--addr', {}, '--addr requires a value: ', ADDR],
  ['--addr --host http://a', {}, '--addr requires a value: ', ADDR],
  ['-h https://a', {}, '-h "https://a": ', '--host'],
  ['--ttl 1h --minage 2h', {}, '--ttl and --minage '],
  ['', { DISC_TTL: '1h', DISC_MINAGE: '1h' }, 'DISC_TTL and DISC_MINAGE '],
  ['--ttl 10s', {}, '--ttl "10s": ', '1m (--min-ttl)'],
  ['--min-ttl 30d', {}, '--ttl: ', '7d', '30d (--min-ttl "30d")'],
  ['--max-ttl 1d', { DISC_TTL: '36h' }, 'DISC_TTL "36h": ', '1d12h', '1d (--max-ttl "1d")'],
];

suite('a rejected setting is one line with its name, its value and the accepted values', () => {
  for (const [args, env, start, ...facts] of BAD) {
    test(`${args} ${Object.keys(env).join(' ')}`.trim(), () => {
      const line = problem(args === '' ? [] : args.split(' '), env);
      assert.ok(line.startsWith(start), line);
      for (const fact of facts) assert.ok(line.slice(start.length).includes(fact), `${fact}: ${line}`);
      assert.doesNotMatch(line, /\n|secret/);
    });
  }

  test('the message is one line of bounded length for any value', () => {
    const line = problem([`--addr=\u001b[31m\n${'x'.repeat(10_000)}\u202e`]);
    assert.match(line, /^[\x20-\x7e]+$/);
    assert.ok(line.length < 400);
  });
});

test('TLS needs two files, each from a flag or a variable', () => {
  const ofClients = { clientCaFile: undefined, clientCrlFile: undefined, clientNames: undefined };
  const tls = { certFile: 'c', keyFile: 'k', ...ofClients };
  assert.deepEqual(config(['--tls-cert', 'c', '--tls-key=k']).tls, tls);
  assert.deepEqual(config(['--tls-cert', 'c'], { DISC_TLS_CERT: 'x', DISC_TLS_KEY: 'k' }).tls, tls);
});

suite('access', () => {
  const auth = (args: string): unknown => config(args.split(' ')).auth;

  test('is set by --auth, with the list of callers', () => {
    assert.deepEqual(auth('--auth create --auth-file f'), { mode: 'create', file: 'f' });
    assert.deepEqual(auth('--auth all --tls-cert c --tls-key k --tls-client-ca a'), {
      mode: 'all',
      file: undefined,
    });
    assert.deepEqual(auth('--auth off --auth-file f'), { mode: 'off', file: 'f' });
    const certificates = '--auth all --tls-cert c --tls-key k --tls-client-ca a';
    assert.deepEqual(auth(`${certificates} --tls-client-operator-name ops,spiffe://x/ops`), {
      mode: 'all',
      file: undefined,
      operatorNames: ['ops', 'spiffe://x/ops'],
    });
    const clients = '--tls-client-ca a --tls-client-crl r --tls-client-allowed-name infra1,spiffe://x/ci';
    assert.deepEqual(config(`--tls-cert c --tls-key k ${clients}`.split(' ')).tls, {
      certFile: 'c',
      keyFile: 'k',
      clientCaFile: 'a',
      clientCrlFile: 'r',
      clientNames: ['infra1', 'spiffe://x/ci'],
    });
  });

  for (const [args, start, missing] of [
    ['--auth all', '--auth "all": ', '--auth-file (DISC_AUTH_FILE) or --tls-client-ca (DISC_TLS_CLIENT_CA)'],
    ['--auth-file f', '--auth-file "f": ', '--auth (DISC_AUTH)'],
    [
      '--tls-cert c --tls-key k --tls-client-crl r',
      '--tls-client-crl "r": ',
      '--tls-client-ca (DISC_TLS_CLIENT_CA)',
    ],
    [
      '--tls-cert c --tls-key k --tls-client-allowed-name n',
      '--tls-client-allowed-name "n": ',
      '--tls-client-ca (DISC_TLS_CLIENT_CA)',
    ],
    [
      '--tls-cert c --tls-key k --tls-client-operator-name n',
      '--tls-client-operator-name "n": ',
      '--tls-client-ca (DISC_TLS_CLIENT_CA)',
    ],
    ['--tls-client-ca a', '--tls-client-ca "a": ', '--tls-cert (DISC_TLS_CERT)'],
  ] as const) {
    test(`${args} alone is rejected, and the message names the missing half`, () => {
      const line = problem(args.split(' '));
      assert.ok(line.startsWith(start) && line.includes(missing), line);
    });
  }
});

suite('the etcd store', () => {
  const store = (args: string, env: Env = {}): unknown => config(args.split(' '), env).store;
  const plain = {
    type: 'ETCD',
    endpoints: ['http://127.0.0.1:2379'],
    prefix: '/_etcd/registry',
    caFile: undefined,
    clientTls: undefined,
    user: undefined,
  };

  test('is selected by a flag or its variable', () => {
    assert.deepEqual(store('--etcd http://127.0.0.1:2379'), plain);
    assert.deepEqual(store('-e 127.0.0.1'), plain);
    assert.deepEqual(store('--etcd-prefix /a/b', { DISC_ETCD: 'HTTP://127.0.0.1:2379/' }), {
      ...plain,
      prefix: '/a/b',
    });
  });

  test('accepts several endpoints, with or without scheme and port', () => {
    const endpoints = (args: string): unknown => (store(args) as { endpoints: unknown }).endpoints;
    assert.deepEqual(endpoints('--etcd a:1,http://b,[::1]:80'), [
      'http://a:1',
      'http://b:2379',
      'http://[::1]:80',
    ]);
    assert.deepEqual(endpoints('--etcd a:1,b:443 --etcd-cacert c'), ['https://a:1', 'https://b:443']);
    assert.deepEqual(endpoints('--etcd https://a'), ['https://a:2379']);
  });

  test('accepts certificates, a user, and a password from a file or the environment', () => {
    assert.deepEqual(
      store('--etcd https://a:1 --etcd-cacert ca --etcd-cert c --etcd-key k --etcd-user u', {
        DISC_ETCD_PASSWORD: ' secret',
      }),
      {
        ...plain,
        endpoints: ['https://a:1'],
        caFile: 'ca',
        clientTls: { certFile: 'c', keyFile: 'k' },
        user: { name: 'u', password: ' secret' },
      },
    );
    assert.deepEqual(store('-e 127.0.0.1 --etcd-user u --etcd-password-file f'), {
      ...plain,
      user: { name: 'u', password: { file: 'f' } },
    });
  });
});

test('a flag overrides its variable, even an invalid one, and the last of two flags wins', () => {
  assert.equal(config(['--addr', ':2'], { DISC_ADDR: ':1' }).listen.port, 2);
  assert.equal(config(['--addr', ':2'], { DISC_ADDR: 'wrong' }).listen.port, 2);
  assert.equal(config(['--ttl', '2h'], { DISC_MINAGE: '1h' }).policy.defaultTtl, 2 * HOUR);
  assert.equal(config(['-m', '2h'], { DISC_TTL: '1h' }).policy.defaultTtl, 2 * HOUR);
  assert.equal(config(['--ttl', '2h'], { DISC_TTL: '1h', DISC_MINAGE: '1h' }).policy.defaultTtl, 2 * HOUR);
  assert.equal(config(['--addr', ':1', '-a', ':2']).listen.port, 2);
});

test('an empty variable counts as unset', () => {
  const empty = Object.fromEntries(NAMES.map(({ env }) => [env, '']));
  assert.deepEqual(readServeArguments([], empty), { type: 'CONFIG', config: config([]), warnings: [] });
});

test('warns about an unknown DISC_ variable, and ignores other variables', () => {
  const ofCommands = { DISC_SERVER: 'http://a:1', DISC_CREDENTIALS: 'ci:x' };
  const wrong = { DISC_PORT: '1', DISC_ADR: ':1' };
  const reading = readServeArguments([], { ...wrong, ...ofCommands, DISCO: 'x', PATH: '/bin' });
  assert.ok(reading.type === 'CONFIG');
  const [first = '', second = '', ...more] = reading.warnings;
  assert.match(first, /DISC_ADR\b.*; did you mean DISC_ADDR\?$/);
  assert.match(second, /DISC_PORT\b/);
  assert.deepEqual(more, []);
});

test('--help prints the help, unless an earlier argument is wrong', () => {
  assert.equal(readServeArguments(['--help'], {}).type, 'HELP');
  assert.equal(readServeArguments(['-h'], {}).type, 'HELP');
  assert.equal(readServeArguments(['--addr', ':1', '-h'], { DISC_TTL: 'wrong' }).type, 'HELP');
  assert.match(problem(['--help', '--wrong']), /^unknown flag "--wrong"; see etcd-discovery serve --help$/);
});

test("durations use Go's format in both directions", () => {
  const table: ReadonlyArray<[string, number]> = [
    ['168h', 7 * DAY],
    ['1h30m', 90 * MINUTE],
    ['1h0m0s', HOUR],
    ['1.5h', 90 * MINUTE],
    ['90s', 90 * SECOND],
    ['500ms', 500],
    ['7d', 7 * DAY],
    ['1d2h3m4s5ms', DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5],
    ['0s', 0],
    ['0', 0],
    ['+0', 0],
    ['.5h', 30 * MINUTE],
    ['1.h', HOUR],
    ['+1.5h', 90 * MINUTE],
    ['1500us', 2],
    ['100us', 0],
    ['2000\u00b5s', 2],
    ['2000\u03bcs', 2],
    ['5000000ns', 5],
    ['1s500000us', 1500],
  ];
  for (const [text, ms] of table) {
    assert.equal(parseDuration(text), ms, text);
    assert.equal(parseDuration(formatDuration(ms)), ms, text);
  }
  for (const text of ['', '1', '-1s', '1 h', 'h', '.h', '00', '1hour', '1e3s', '1h,', '٣h', '1..5h', '+']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});
