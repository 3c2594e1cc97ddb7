// Settings that operators write, and headers of proxies and browsers.

import assert from 'node:assert/strict';
import { hashSecret } from '../../../src/discovery/access.ts';
import { prefersHtml } from '../../../src/page/accept.ts';
import type { PortRequest } from '../../../src/port/port.ts';
import { EVERYBODY, splitSecret } from '../../../src/rpc/caller.ts';
import { parseAuthFile } from '../../../src/server/clients/auth-file.ts';
import { Callers } from '../../../src/server/clients/callers.ts';
import { clientBehind } from '../../../src/server/clients/forwarded.ts';
import { requestIdOf } from '../../../src/server/telemetry/request-id.ts';
import { parseConfigFile } from '../../../src/settings/config-file.ts';
import { readServeArguments } from '../../../src/settings/serve-arguments.ts';
import { SETTINGS } from '../../../src/settings/settings.ts';
import { hostPort, parseListenAddress } from '../../../src/values/address.ts';
import { formatDuration, parseDuration } from '../../../src/values/duration.ts';
import { parseEndpoints, parsePrefix } from '../../../src/values/etcd-endpoints.ts';
import { covers, type Ip, networkOf, parseCidrs, parseIp } from '../../../src/values/ip.ts';
import { parsePublicUrl } from '../../../src/values/public-url.ts';
import { parseRate } from '../../../src/values/rate.ts';
import type { Target } from '../target.ts';
import { assertFit } from '../words.ts';

const duration: Target = {
  name: 'duration',
  words: ['1h', '30m', '90s', '500ms', '7d', '.5h', '1.', 'ms', 'm', '0s', '00', '1e3'],
  check(input) {
    const text = input.toString();
    const ms = parseDuration(text);
    if (ms === undefined) return;
    assert.ok(Number.isSafeInteger(ms) && ms >= 0, `${ms} is a number of milliseconds`);
    const written = formatDuration(ms);
    assert.equal(parseDuration(written), ms, `${written} reads back`);
    assert.ok(written.length <= 40);
  },
};

const address: Target = {
  name: 'address',
  words:
    `: :8087 0.0.0.0: [::1]:8087 [:: ] localhost:80 http:// https:// http://h:80 HTTP://H/ / ? # user:p@ , .
    etcd1:2379 /a/b /_etcd/registry 1/s:1000 off 5/m:1 10.0.0.0/8 ::/0 /128 2001:db8:: ::ffff:1.2.3.4 %eth0`.split(
      /\s+/,
    ),
  check(input) {
    const text = input.toString();
    const listen = parseListenAddress(text);
    if (listen !== undefined) {
      assert.ok(listen.port >= 0 && listen.port <= 65_535);
      assert.deepEqual(parseListenAddress(hostPort(listen)), listen);
    }
    const url = parsePublicUrl(text);
    if (url !== undefined) {
      assert.equal(parsePublicUrl(url), url);
      assert.match(url, /^https?:\/\/[\x21-\x7e]+$/);
    }
    for (const { scheme = 'http', authority } of parseEndpoints(text) ?? []) {
      assert.deepEqual(parseEndpoints(`${scheme}://${authority}`), [{ scheme, authority }]);
    }
    const prefix = parsePrefix(text);
    if (prefix !== undefined) assert.equal(prefix, text);
    const rate = parseRate(text);
    if (rate !== undefined && rate !== 'off') assert.ok(rate.interval > 0 && rate.burst >= 1);
    const ip = parseIp(text);
    if (ip !== undefined) assertIp(ip);
    const networks = parseCidrs(text);
    for (const part of networks === undefined ? [] : text.split(',')) {
      const own = parseIp(part.trim().replace(/\/.*/, ''));
      assert.ok(own !== undefined && covers(networks, own), 'a network contains its own address');
    }
  },
};

function assertIp(ip: Ip): void {
  assert.equal(parseIp(ip), ip, 'an address reads back');
  const network = networkOf(ip);
  const first = parseIp(network.replace(/\/64$/, ''));
  assert.ok(first !== undefined && networkOf(first) === network, `${network} is its own network`);
}

const settingWords = Object.values(SETTINGS).flatMap((setting) => {
  const { env, default: preset } = setting as { env: string; default?: string };
  return [`${env}=`, ...(preset === undefined ? [] : [preset])];
});

const settings: Target = {
  name: 'settings',
  words: [
    ...settingWords,
    ...Object.values(SETTINGS).flatMap((setting) => ('flag' in setting ? [`\n--${setting.flag}\n`] : [])),
    ...'\n-h\n \n--help \n-- = http://u:secret@h 7d 1h json create'.split(' '),
  ],
  longest: 4 * 1024,
  /** Lines: a variable if NAME=, otherwise an argument. */
  check(input) {
    const env: Record<string, string> = {};
    const args: string[] = [];
    for (const line of input.toString().split('\n')) {
      const [, name, value = ''] = /^(DISC_[^=]*)=(.*)$/s.exec(line) ?? [];
      if (name === undefined) args.push(line);
      else env[name] = value;
    }
    const reading = readServeArguments(args, env);
    if (reading.type === 'WRONG') {
      assert.doesNotMatch(reading.problem, /:secret@/, 'no password is shown');
      assertFit(reading.problem);
    }
    if (reading.type === 'CONFIG') for (const warning of reading.warnings) assertFit(warning);
  },
};

const configFile: Target = {
  name: 'config-file',
  words: [
    ...Object.values(SETTINGS).flatMap((setting) => ('flag' in setting ? [`${setting.flag}: `] : [])),
    ...'\n - [ ] { } : , # & * ! | > \' " % --- ... ? <<: etcd-password: 7d :8087 ttl: adr: &a *a \t \ufeff'.split(
      ' ',
    ),
  ],
  longest: 4 * 1024,
  check(input) {
    const { givens, problems } = parseConfigFile(input.toString(), 'f.yaml');
    for (const problem of problems) {
      assertFit(problem);
      assert.match(problem, /^f\.yaml:\d+/, 'a problem has its line');
    }
    for (const { source, text } of givens.values()) {
      assert.match(source, /^f\.yaml:\d+: [a-z-]+$/);
      assert.ok(text !== '');
    }
  },
};

/** The address that a trusted proxy appends to the headers. */
const PROXY = parseIp('10.1.1.1') as Ip;
const CLIENT = '203.0.113.7';
const TRUSTED = parseCidrs('10.0.0.0/8');

const forwarded: Target = {
  name: 'forwarded',
  words: `for= for="[2001:db8::1]:4711" FOR= ;proto=https ;by=10.0.0.1 , ; " \\" \\ 10.0.0.2 192.0.2.1 [::1]
    ::ffff:10.0.0.1 unknown _hidden :80 for=192.0.2.60, 203.0.113.7`.split(/ +|\n/),
  /** Headers that the client sends itself: X-Forwarded-For, and after a line feed Forwarded. */
  check(input) {
    const [own = '', ownNew] = input.toString('latin1').split('\n');
    const peer = parseIp('198.51.100.1') as Ip;
    const headers = { forwardedFor: own, forwarded: ownNew };
    assert.deepEqual(
      clientBehind(peer, headers, TRUSTED),
      peer,
      'an untrusted peer cannot name another client',
    );
    assertIp(clientBehind(PROXY, headers, TRUSTED));
    // A client must not pass for another one, and contradictory headers are ignored.
    const client = parseIp(CLIENT) as Ip;
    const append = (before: string, more: string): string => (before === '' ? more : `${before}, ${more}`);
    const old = clientBehind(PROXY, { forwardedFor: append(own, CLIENT), forwarded: undefined }, TRUSTED);
    assert.deepEqual(old, client, 'what the proxy appended counts');
    const both = clientBehind(PROXY, { forwardedFor: append(own, CLIENT), forwarded: ownNew }, TRUSTED);
    const isNobodyElse = (ip: Ip): boolean => [client, PROXY].includes(ip);
    assert.ok(isNobodyElse(both), `the client passes for ${both}`);
    for (const element of [`for=${CLIENT}`, `for="${CLIENT}:4711";by="[::1]"`]) {
      const now = append(ownNew ?? '', element);
      const byNew = clientBehind(PROXY, { forwardedFor: undefined, forwarded: now }, TRUSTED);
      assert.ok(isNobodyElse(byNew), `the client passes for ${byNew}`);
    }
  },
};

const SECRET = 'xyzzy-secret-of-ci';
const KNOWN = new Map([[hashSecret(SECRET), { name: 'ci', isOperator: true }]]);

const credentials: Target = {
  name: 'credentials',
  words: [
    'Bearer ',
    'basic ',
    'Basic Y2k6eHl6enk=',
    'token:',
    ':',
    'ci',
    `ci:sha256:${'0f'.repeat(32)}`,
    ':operator',
    '# ',
    '\r\n',
  ],
  check(input) {
    const text = input.toString('latin1');
    for (const headers of [{ authorization: text }, { token: text }, { authorization: text, token: text }]) {
      for (const mode of ['off', 'create', 'all'] as const) {
        const rights = new Callers(mode, KNOWN, () => true).resolverOf({
          headers,
          socket: {},
        } as unknown as PortRequest);
        const caller = rights(undefined);
        assert.equal(caller.mayCreate, mode === 'off', 'a caller without the secret is not admitted');
        assert.equal(caller.mayUse, mode !== 'all');
        assert.notEqual(caller.isOperator, true, 'a caller without the secret is not an operator');
        assert.ok(caller.proof === undefined || caller.proof.length === 64);
      }
    }
    const { token, secret } = splitSecret(text);
    assert.equal(secret === undefined ? token : `${token}:${secret}`, text);
    assert.ok(!token.includes(':'));
    assert.equal(EVERYBODY(secret).proof, secret === undefined ? undefined : hashSecret(secret));

    const callers = parseAuthFile(input.toString());
    if (typeof callers === 'string') return assertFit(callers);
    const written = [...callers]
      .map(([hash, { name, isOperator }]) => `${name}:sha256:${hash}${isOperator ? ':operator' : ''}`)
      .join('\n');
    assert.deepEqual(parseAuthFile(written), callers);
  },
};

const headers: Target = {
  name: 'headers',
  words: [
    'text/html',
    '*/*',
    'application/json',
    'text/*',
    ';q=',
    '; q = 0.5',
    ',',
    'q=1.',
    'NaN',
    'Infinity',
    'abc-1',
  ],
  check(input) {
    const text = input.toString('latin1');
    const wants = prefersHtml(text, 'application/json');
    if (wants) assert.match(text, /text\/html/i, 'only a request that names HTML gets a page');
    const id = requestIdOf({ headers: { 'x-request-id': text } } as unknown as PortRequest);
    assert.match(id, /^[\w.:+/=-]{1,128}$/);
  },
};

export const SETTINGS_TARGETS: readonly Target[] = [
  duration,
  address,
  settings,
  configFile,
  forwarded,
  credentials,
  headers,
];
