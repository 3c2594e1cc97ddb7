import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { type NodeStart, parseNodeIp } from '../../../src/etcd/start/node.ts';
import { startText } from '../../../src/etcd/start/text.ts';

const node: NodeStart = {
  etcd: '3.5',
  name: 'infra1',
  ip: '10.0.0.1',
  serviceUrl: 'https://disc.example.com',
  token: '6c5d0a3b7e1f4c2d9a8b7c6d5e4f3a2b',
};

test('an etcd of the v2 dialect is told the URL', () => {
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

test('an etcd of the v3 dialect is told the token, the endpoint with its port, and whether it is TLS', () => {
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

test('an IPv6 address stands in brackets', () => {
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

suite('the address of a node', () => {
  for (const text of ['10.0.0.1', '127.0.0.1', '::1', 'fd00::1', 'FE80::A:1', '::ffff:10.0.0.1']) {
    test(`${text} is one`, () => assert.equal(parseNodeIp(text), text));
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
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseNodeIp(text), undefined));
  }
});
