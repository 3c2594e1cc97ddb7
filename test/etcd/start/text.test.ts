import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { parseNodeIp } from '../../../src/etcd/start/address.ts';
import type { NodeStart } from '../../../src/etcd/start/node.ts';
import { startText } from '../../../src/etcd/start/text.ts';

const node: NodeStart = {
  etcd: '3.5',
  name: 'infra1',
  ip: '10.0.0.1',
  serviceUrl: 'https://disc.example.com',
  token: '6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b',
};

test('an etcd of the v2 dialect gets the discovery URL', () => {
  for (const etcd of ['3.4', '3.5'] as const) {
    assert.equal(
      startText({ ...node, etcd }, 'flags'),
      `etcd \\
  --name=infra1 \\
  --data-dir=/var/lib/etcd \\
  --listen-peer-urls=http://10.0.0.1:2380 \\
  --initial-advertise-peer-urls=http://10.0.0.1:2380 \\
  --listen-client-urls=http://10.0.0.1:2379,http://127.0.0.1:2379 \\
  --advertise-client-urls=http://10.0.0.1:2379 \\
  --discovery=https://disc.example.com/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b
`,
    );
  }
});

test('an etcd of the v3 dialect gets the token, the endpoint with its port, and whether to use TLS', () => {
  const tail = (more: Partial<NodeStart>): string[] =>
    startText({ ...node, etcd: '3.7', ...more }, 'env')
      .split('\n')
      .slice(7, -1);
  assert.deepEqual(tail({}), [
    'ETCD_DISCOVERY_TOKEN=6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b',
    'ETCD_DISCOVERY_ENDPOINTS=https://disc.example.com:443',
    'ETCD_DISCOVERY_INSECURE_TRANSPORT=false',
  ]);
  assert.deepEqual(tail({ serviceUrl: 'http://disc.example.com/', mixed: true }), [
    'ETCD_DISCOVERY_TOKEN=http://disc.example.com/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b',
    'ETCD_DISCOVERY_ENDPOINTS=http://disc.example.com:80',
  ]);
});

test('an IPv6 address is in brackets', () => {
  const config: unknown = parse(startText({ ...node, etcd: '3.6', ip: 'fd00::1', mixed: true }, 'yaml'));
  assert.deepEqual(config, {
    name: 'infra1',
    'data-dir': '/var/lib/etcd',
    'listen-peer-urls': 'http://[fd00::1]:2380',
    'initial-advertise-peer-urls': 'http://[fd00::1]:2380',
    'listen-client-urls': 'http://[fd00::1]:2379,http://127.0.0.1:2379',
    'advertise-client-urls': 'http://[fd00::1]:2379',
    'discovery-config': {
      token: 'https://disc.example.com/6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b',
      client: {
        endpoints: ['https://disc.example.com:443'],
        'dial-timeout': 2_000_000_000,
        'request-timeout': 5_000_000_000,
        secure: { 'insecure-transport': false },
      },
    },
  });
});

test('a shell and systemd read the same from a file of variables', () => {
  const name = 'it\'s-"50%h"-$HOME-`id`-\\n;#';
  const text = startText({ ...node, name }, 'env');
  const { stdout } = spawnSync('sh', ['-c', `${text}printf %s "$ETCD_NAME"`], { encoding: 'utf8' });
  assert.equal(stdout, name);
  const word = /^ETCD_NAME=(.*)$/m.exec(text)?.[1] ?? '';
  assert.equal(systemdValue(word), name);
});

/**
 * Returns what systemd.exec(5) reads from a value in an EnvironmentFile. A quote inside an unquoted value is literal.
 */
function systemdValue(text: string): string {
  let value = '';
  let state: 'BEFORE' | 'BARE' | 'SINGLE' | 'DOUBLE' = 'BEFORE';
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (state === 'BEFORE' && c === "'") state = 'SINGLE';
    else if (state === 'BEFORE' && c === '"') state = 'DOUBLE';
    else if ((state === 'SINGLE' && c === "'") || (state === 'DOUBLE' && c === '"')) state = 'BEFORE';
    else if (c === '\\' && state !== 'SINGLE') {
      i += 1;
      const next = text.charAt(i);
      value += state === 'DOUBLE' && !'"\\`$'.includes(next) ? `\\${next}` : next;
      if (state === 'BEFORE') state = 'BARE';
    } else {
      if (state === 'BEFORE') state = 'BARE';
      value += c;
    }
  }
  return value;
}

test('every dollar in a pod is literal, also two in a row', () => {
  const name = 'a$$b-$(HOME)-$$(HOME)-$';
  const pod = parse(startText({ ...node, name }, 'kubernetes')) as {
    spec: { containers: Array<{ command: string[] }> };
  };
  // Like the kubelet: two dollars are one literal dollar, and a single one starts a variable.
  const words = pod.spec.containers[0]?.command.map((word) =>
    word.replaceAll(/\$(\$|\([^)]*\))/g, (_, next: string) => (next === '$' ? '$' : '')),
  );
  assert.ok(words?.includes(`--name=${name}`), JSON.stringify(words));
});

test('a node may have a name that YAML reads as another type', () => {
  for (const name of ['1', 'no', 'true', 'infra1']) {
    const text = startText({ ...node, name }, 'compose');
    const file = parse(text, { mapAsMap: true, version: '1.1' }) as Map<string, Map<unknown, unknown>>;
    assert.deepEqual([...(file.get('services')?.keys() ?? [])], [name]);
  }
});

test('the command above a file, which starts etcd with it, is for a shell', () => {
  const text = startText({ ...node, discoveryCacert: "/etc/the service's/ca.pem" }, 'yaml');
  const line = /^# Start it with: (.*)etcd --config-file FILE$/m.exec(text)?.[1] ?? '';
  const { stdout } = spawnSync('sh', ['-c', `${line}sh -c 'printf %s "$SSL_CERT_FILE"'`], {
    encoding: 'utf8',
  });
  assert.equal(stdout, "/etc/the service's/ca.pem");
});

suite('an IP address of a node', () => {
  for (const text of ['10.0.0.1', '127.0.0.1', '::1', 'fd00::1', 'FE80::A:1', '::ffff:10.0.0.1']) {
    test(`accepts ${text}`, () => assert.equal(parseNodeIp(text), text));
  }
  for (const text of [
    '',
    '0.0.0.0',
    '::',
    '0:0::0',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    'infra1',
    '[::1]',
    '1::2::3',
    'fe80::1%eth0',
    '1:2',
  ]) {
    test(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseNodeIp(text), undefined));
  }
});
