import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** What the files of a module may import: modules of ours by name, and packages (`node:*` is any of Node's). */
interface Rule {
  readonly modules: readonly string[];
  readonly packages: readonly string[];
  /** Files of other modules that it may import types from, and nothing else. */
  readonly typesFrom?: readonly string[];
}

// The arrows: cli, server -> page, etcdv2, etcdv3 -> etcd, rpc, client, gen -> discovery <- store/*. A module not in
// the table fails, so a new one is given its place here first.
const ANY = ['*'];
const CONNECT = '@connectrpc/connect';
const PROTOBUF = '@bufbuild/protobuf';
const EVERYTHING: Rule = { modules: ANY, packages: ANY };
const RULES: Readonly<Record<string, Rule>> = {
  main: { modules: ['cli'], packages: ['node:*'] },
  cli: EVERYTHING,
  server: EVERYTHING,
  client: { modules: ['gen'], packages: [CONNECT, PROTOBUF] },
  // Apart, so that the rest of the client runs in a browser.
  'client/node': { modules: ['gen', 'client'], packages: [CONNECT, '@connectrpc/connect-node', 'node:*'] },
  page: {
    modules: ['gen', 'client', 'etcd/start', 'limits'],
    packages: [CONNECT, PROTOBUF, 'node:*'],
  },
  // What is bundled for browsers, with the parts of the page that are the same on both sides.
  'page/browser': {
    modules: ['gen', 'client', 'etcd/start', 'page'],
    packages: [CONNECT, '@connectrpc/connect-web', PROTOBUF],
  },
  etcd: { modules: ['gen'], packages: [CONNECT], typesFrom: ['rpc'] },
  // How to start etcd: pure, so that the page may show it too.
  'etcd/start': { modules: [], packages: [] },
  etcdv2: { modules: ['gen', 'etcd', 'limits'], packages: [CONNECT, PROTOBUF, 'node:*'], typesFrom: ['rpc'] },
  etcdv3: { modules: ['gen', 'etcd', 'limits'], packages: [CONNECT, PROTOBUF, 'node:*'], typesFrom: ['rpc'] },
  grpc: { modules: ['gen'], packages: [CONNECT, PROTOBUF] },
  rpc: { modules: ['gen', 'discovery'], packages: [CONNECT, PROTOBUF, 'node:*'] },
  moving: { modules: ['discovery', 'etcd', 'limits'], packages: ['etcd3', 'node:*'] },
  schema: { modules: ['gen'], packages: [] },
  gen: { modules: [], packages: [PROTOBUF] },
  // Numbers alone: for whoever keeps one of them.
  limits: { modules: [], packages: [] },
  discovery: { modules: ['limits'], packages: ['node:*'] },
  'store/lmdb': { modules: ['discovery', 'limits'], packages: ['lmdb', 'node:*'] },
  'store/etcd': { modules: ['discovery', 'limits'], packages: ['etcd3', 'node:*'] },
};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

// `import ... from 'x'`, `export ... from 'x'`, `import 'x'` and `import('x')`.
const STATEMENT =
  /^\s*(?:import|export)\s+(type\s)?(?:[\w$*\s{},]+?\sfrom\s+)?(['"])([^'"]+)\2|\bimport\s*\(\s*(['"])([^'"]+)\4/gm;

function importsOf(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(STATEMENT)].map((match) => ({
    specifier: match[3] ?? match[5] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

/** The module of a file: src/etcdv2/reply.ts -> etcdv2, and with a rule of its own src/store/lmdb/x.ts -> store/lmdb. */
function moduleOf(path: string): string {
  const [top = '', first = '', second = ''] = path.split('/').map((part) => part.replace(/\.ts$/, ''));
  if (top === 'gen') return 'gen';
  const nested = `${first}/${second}`;
  return first === 'store' || Object.hasOwn(RULES, nested) ? nested : first;
}

const allowed = (list: readonly string[], name: string): boolean =>
  list.some((entry) => entry === '*' || entry === name || (entry === 'node:*' && name.startsWith('node:')));

/** Every import that goes against the arrows, as "file: what is wrong". Paths start at the clone's directory. */
function violations(files: Iterable<readonly [path: string, source: string]>): string[] {
  const found: string[] = [];
  for (const [path, source] of files) {
    const from = moduleOf(path);
    const rule = RULES[from];
    if (rule === undefined) {
      found.push(`${path}: the module "${from}" has no rule`);
      continue;
    }
    for (const { specifier, typeOnly } of importsOf(source)) {
      if (specifier.startsWith('.')) {
        const to = moduleOf(join(path, '..', specifier));
        const may =
          to === from || allowed(rule.modules, to) || (typeOnly && allowed(rule.typesFrom ?? [], to));
        if (!may) found.push(`${path}: ${from} must not import ${specifier} (${to})`);
      } else {
        const name = specifier.startsWith('node:') ? specifier : packageOf(specifier);
        if (!allowed(rule.packages, name)) found.push(`${path}: ${from} must not import ${name}`);
      }
    }
  }
  return found;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function sourceFiles(): Array<[string, string]> {
  return ['src', 'gen'].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name): [string, string] => [`${top}/${name}`, readFileSync(join(top, name), 'utf8')]),
  );
}

test('no import goes against the arrows', () => {
  const files = sourceFiles();
  assert.ok(files.length > 10, 'the sources are found');
  assert.deepEqual(violations(files), []);
});

test('every form of a planted violation is caught', () => {
  const planted: ReadonlyArray<[path: string, source: string]> = [
    ['src/discovery/a.ts', "import { create } from '@bufbuild/protobuf';"],
    ['src/discovery/b.ts', "import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';"],
    ['src/discovery/c.ts', "export * from '../store/lmdb/store.ts';"],
    ['src/discovery/d.ts', "import '../rpc/service.ts';"],
    ['src/discovery/e.ts', "const { open } = await import('lmdb');"],
    ['src/discovery/f.ts', "import {\n  a,\n  type b,\n} from '../server/port.ts';"],
    ['src/etcdv2/a.ts', "import { parseToken } from '../discovery/model.ts';"],
    ['src/etcdv2/b.ts', "import type { Store } from '../discovery/store.ts';"],
    ['src/etcdv2/c.ts', "import { client } from '../rpc/client.ts';"],
    ['src/etcdv2/d.ts', "import { x } from '../etcdv3/kv.ts';"],
    ['src/rpc/a.ts', "import { LmdbStore } from '../store/lmdb/store.ts';"],
    ['src/store/lmdb/a.ts', "import { x } from '../etcd/store.ts';"],
    ['src/store/lmdb/b.ts', 'export { x } from "../../rpc/errors.ts";'],
    ['src/page/a.ts', "import { x } from '../server/port.ts';"],
    ['src/page/b.ts', "import { x } from '../etcd/value.ts';"],
    ['src/etcd/start/a.ts', "import { isIP } from 'node:net';"],
    ['src/etcd/start/b.ts', "import { x } from '../value.ts';"],
    ['src/page/c.ts', "import { createDiscoveryClient } from '../client/node.ts';"],
    ['src/client/a.ts', "import { randomUUID } from 'node:crypto';"],
    ['src/client/b.ts', "export * from './node.ts';"],
    ['src/new/a.ts', ''],
  ];
  for (const file of planted) assert.equal(violations([file]).length, 1, `${file[0]}: ${file[1]}`);
});

test('imports along the arrows and words in comments are let through', () => {
  const fine: ReadonlyArray<[path: string, source: string]> = [
    ['src/discovery/a.ts', "import { randomBytes } from 'node:crypto';\nimport { x } from './errors.ts';"],
    ['src/discovery/b.ts', "// import { x } from 'lmdb';\n/* import { y } from '../rpc/x.ts'; */"],
    ['src/etcdv2/a.ts', "import type { DiscoveryClient } from '../rpc/client.ts';"],
    ['src/etcdv2/b.ts', "import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';"],
    ['src/rpc/a.ts', "import { x } from '../discovery/errors.ts';\nimport { C } from '@connectrpc/connect';"],
    ['src/store/lmdb/a.ts', "import { open } from 'lmdb';\nimport { x } from '../../discovery/model.ts';"],
    ['src/page/a.ts', "import { startText } from '../etcd/start/text.ts';"],
    ['src/server/a.ts', "import pino from 'pino';\nimport { x } from '../store/lmdb/store.ts';"],
  ];
  assert.deepEqual(violations(fine), []);
});
