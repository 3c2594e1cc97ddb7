import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { answerFor, isRefusal } from '../../../src/etcd/start/answer.ts';
import { answerText } from '../../../src/etcd/start/answer-text.ts';
import type { NodeStart } from '../../../src/etcd/start/node.ts';
import { PARAMETERS } from '../../../src/etcd/start/parameters.ts';
import { allSettings } from '../../../src/etcd/start/settings.ts';
import type { StartFormat } from '../../../src/etcd/start/text.ts';
import { readUnit } from './read-systemd.ts';

// Whatever the parameters and the members' names contain, each reader gets exactly that and runs nothing else.

/** Characters with a meaning in shells, systemd, YAML or Compose. */
const SIGNS = fc.constantFrom(...Array.from('\'"\\$`#%;&|<>(){}[]*?!~:@^-/. '));
const WORDS = fc.constantFrom(
  '$(id)',
  '${HOME}',
  '`id`',
  '%h',
  '$$',
  '#$ id',
  '\\n',
  ': ',
  ' #',
  "'; id #",
  'é',
  '<IP>',
);
const text = fc
  .array(fc.oneof(SIGNS, WORDS, fc.constantFrom('a', '0', 'no')), { minLength: 1, maxLength: 12 })
  .map((parts) => parts.join(''));
const name = text
  .map((each) => each.replaceAll(/[\s,=]/g, '-'))
  .filter((each) => PARAMETERS.name.parse(each) !== undefined);
const path = text.map((each) => `/${each}`).filter((each) => PARAMETERS.dataDir.parse(each) !== undefined);

const NODES = 25;
const asked = fc.record({ name, other: name, dataDir: path, keyFile: path, late: fc.boolean() });

/** Returns nodes, each with its text in the format. */
function texts(format: StartFormat): Array<{ node: NodeStart; text: string }> {
  return fc.sample(asked, NODES).map(({ name: own, other, dataDir, keyFile, late }) => {
    const base: NodeStart = {
      etcd: '3.7',
      name: own,
      ip: '10.0.0.9',
      dataDir,
      certFile: '/cert',
      keyFile,
      serviceUrl: 'https://disc.example.com',
      token: 'my-cluster',
    };
    const member = { id: '1', name: own === other ? `${other}2` : other, peerUrls: ['http://10.0.0.1:2380'] };
    const answer = answerFor(
      base,
      { complete: late, size: late ? 1 : 3, members: late ? [member] : [] },
      undefined,
    );
    assert.ok(!isRefusal(answer));
    return { node: answer.node, text: answerText(answer, format) };
  });
}

const argsOf = (node: NodeStart): string[] => allSettings(node).map(([flag, value]) => `--${flag}=${value}`);

/** Runs a script in which etcd and etcdctl print their arguments, and returns those of each call. */
function callsOf(script: string, shell = '/bin/sh'): string[][] {
  const tell = `etcd() { printf '%s\\0' "$@"; printf '\\1'; }; etcdctl() { printf '%s\\0' "$@"; printf '\\1'; }\n`;
  const { stdout, stderr, status } = spawnSync(shell, ['-c', tell + script], {
    encoding: 'utf8',
    env: { PATH: '/nowhere' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout
    .split('\x01')
    .slice(0, -1)
    .map((call) => call.split('\0').slice(0, -1));
}

suite('every reader gets each value unchanged', () => {
  for (const shell of ['/bin/sh', '/bin/bash']) {
    test(`${shell} reads flags`, () => {
      const all = texts('flags');
      assert.deepEqual(
        callsOf(all.map((each) => each.text).join('\n'), shell),
        all.map((each) => argsOf(each.node)),
      );
    });
  }

  test('sh reads a file of variables', () => {
    const all = texts('env');
    const shown = '"$ETCD_NAME" "$ETCD_DATA_DIR" "$ETCD_KEY_FILE" "${ETCD_INITIAL_CLUSTER-}"';
    const script = all.map((each) => `(\n${each.text}etcd ${shown}\n)`).join('\n');
    assert.deepEqual(
      callsOf(script),
      all.map(({ node }) => [node.name, node.dataDir, node.keyFile, node.existing ?? '']),
    );
  });

  test('a YAML parser reads a config file', () => {
    for (const { node, text: file } of texts('yaml')) {
      const read = parse(file) as Record<string, unknown>;
      assert.deepEqual(
        [read['name'], read['data-dir'], read['initial-cluster']],
        [node.name, node.dataDir, node.existing],
      );
      assert.deepEqual(read['client-transport-security'], { 'cert-file': '/cert', 'key-file': node.keyFile });
    }
  });

  test('the rules of systemd read a unit', () => {
    for (const { node, text: unit } of texts('systemd'))
      assert.deepEqual(readUnit(unit).argv.slice(1), argsOf(node));
  });

  test('a YAML parser reads the files of Compose and Kubernetes, without variables', () => {
    for (const { node, text: file } of texts('compose')) {
      const { services } = parse(file) as { services: Record<string, { command: string[] }> };
      const words = Object.values(services)[0]?.command.map((word) => {
        assert.doesNotMatch(word.replaceAll('$$', ''), /\$/);
        return word.replaceAll('$$', '$');
      });
      assert.deepEqual(words?.slice(1), argsOf(node));
    }
    for (const { node, text: file } of texts('kubernetes')) {
      const { spec } = parse(file) as { spec: { containers: Array<{ command: string[] }> } };
      const words = spec.containers[0]?.command.map((word) => word.replaceAll('$$', '$'));
      assert.deepEqual(words?.slice(1), argsOf(node));
    }
  });

  test('sh reads the steps above each format, like the boot script', () => {
    for (const format of ['flags', 'env', 'yaml', 'systemd', 'compose', 'kubernetes'] as const) {
      const late = texts(format).filter(({ node }) => node.existing !== undefined);
      const steps = late.map((each) => [...each.text.matchAll(/^#\$ (.*)$/gm)].map(([, step = '']) => step));
      assert.ok(steps.every((each) => each.length === 2));
      // The second command of each adds a member; the first runs sed and xargs.
      assert.deepEqual(
        callsOf(steps.map(([, add = '']) => add).join('\n')),
        late.map(({ node }) => [
          '--endpoints=https://10.0.0.1:2379',
          '--cert=/cert',
          `--key=${node.keyFile}`,
          'member',
          'add',
          node.name,
          '--peer-urls=http://10.0.0.9:2380',
        ]),
      );
    }
  });
});

suite('while a value is missing', () => {
  const base: NodeStart = {
    etcd: '3.7',
    name: 'infra1',
    ip: '10.0.0.1',
    serviceUrl: 'http://disc',
    token: 't',
  };
  for (const [what, node] of [
    ['the name', { ...base, name: undefined }],
    ['the address', { ...base, ip: undefined }],
  ] as const) {
    for (const format of ['flags', 'env'] as const) {
      test(`no shell starts etcd: ${what}, ${format}`, () => {
        const answer = answerFor(node, { complete: false, size: 3, members: [] }, undefined);
        assert.ok(!isRefusal(answer));
        const script = `etcd() { echo started; }\n${answerText(answer, format)}etcd`;
        const { stdout, status } = spawnSync('sh', ['-ec', script], { encoding: 'utf8' });
        assert.deepEqual([stdout, status === 0], ['', false]);
      });
    }
  }
});
