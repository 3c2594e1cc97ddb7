import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/** The allowed imports of a module: modules of the project by name, and packages (`node:*` allows all of Node.js). */
interface Rule {
  readonly modules: readonly string[];
  readonly packages: readonly string[];
}

// The arrows: cli, server -> page, etcdv2, etcdv3 -> etcd, rpc, client, gen -> discovery <- store/*. Every folder has
// a rule, and so do files with more or fewer importers than their folder. A folder without a rule fails the test.
const ANY = ['*'];
const CONNECT = '@connectrpc/connect';
const CONNECT_NODE = '@connectrpc/connect-node';
const PROTOBUF = '@bufbuild/protobuf';
const NODE = 'node:*';
// For the module that assembles the commands.
const EVERYTHING: Rule = { modules: ANY, packages: ANY };
const RULES: Readonly<Record<string, Rule>> = {
  gen: { modules: [], packages: [PROTOBUF] },
  'src/main.ts': { modules: ['src/cli'], packages: [NODE] },
  'src/schema.ts': { modules: ['gen'], packages: [] },
  // Only numbers, which any module may use.
  'src/limits.ts': { modules: [], packages: [] },
  // Cleanup at a signal.
  'src/on-end.ts': { modules: [], packages: [] },
  // A cache bounded in bytes, which any module may use.
  'src/byte-cache.ts': { modules: [], packages: [] },
  // Milliseconds of work, one piece after the other.
  'src/own-turn.ts': { modules: [], packages: [] },
  // The work of a client's requests beyond their number.
  'src/work.ts': { modules: ['src/limits.ts'], packages: [] },
  'src/values': { modules: ['src/values/list.ts'], packages: [NODE] },
  // Without Node.js, so that texts for the page can use it too.
  'src/values/list.ts': { modules: [], packages: [] },
  'src/port': { modules: ['src/limits.ts', 'src/values'], packages: [NODE] },

  'src/settings': {
    modules: ['src/settings/tables', 'src/values', 'src/limits.ts', 'src/discovery'],
    packages: ['yaml', NODE],
  },
  'src/settings/tables': {
    modules: ['src/values', 'src/values/list.ts', 'src/limits.ts', 'src/discovery'],
    packages: [],
  },

  'src/discovery': {
    modules: ['src/limits.ts', 'src/on-end.ts', 'src/own-turn.ts', 'src/values'],
    packages: [NODE],
  },
  // Errors and decoding shared by all stores.
  'src/store': { modules: ['src/discovery', 'src/values', 'src/limits.ts'], packages: [] },
  'src/store/lmdb': {
    modules: ['src/store', 'src/store/lmdb/check', 'src/discovery', 'src/limits.ts'],
    packages: ['lmdb', NODE],
  },
  'src/store/lmdb/check': { modules: ['src/store', 'src/discovery'], packages: [NODE] },
  'src/store/lmdb/care': {
    modules: ['src/store', 'src/store/lmdb', 'src/store/lmdb/check', 'src/discovery', 'src/values'],
    packages: ['lmdb', NODE],
  },
  'src/store/etcd': {
    modules: [
      'src/store',
      'src/store/etcd/client',
      'src/store/etcd/log',
      'src/store/etcd/sweep',
      'src/discovery',
      'src/limits.ts',
      'src/values',
    ],
    packages: ['etcd3', NODE],
  },
  'src/store/etcd/client': {
    modules: ['src/store', 'src/discovery', 'src/limits.ts', 'src/values'],
    packages: ['etcd3', NODE],
  },
  'src/store/etcd/log': { modules: ['src/store', 'src/discovery', 'src/limits.ts'], packages: ['etcd3'] },
  'src/store/etcd/sweep': {
    modules: ['src/store', 'src/store/etcd/client', 'src/store/etcd/log', 'src/discovery', 'src/limits.ts'],
    packages: ['etcd3', NODE],
  },

  'src/rpc': {
    modules: [
      'gen',
      'src/discovery',
      'src/limits.ts',
      'src/on-end.ts',
      'src/own-turn.ts',
      'src/client',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT, PROTOBUF, NODE],
  },
  'src/client': { modules: ['gen', 'src/values'], packages: [CONNECT, PROTOBUF] },
  // Separate, so that the rest of the client runs in a browser.
  'src/client/node.ts': { modules: ['gen', 'src/client'], packages: [CONNECT, CONNECT_NODE, NODE] },
  'src/etcd': { modules: ['gen', 'src/client', 'src/work.ts'], packages: [CONNECT, 'node:crypto'] },
  // How to start etcd. Pure, so that the page can show it too.
  'src/etcd/start': { modules: ['src/values/list.ts'], packages: [] },
  'src/etcdv2': {
    modules: [
      'gen',
      'src/byte-cache.ts',
      'src/etcd',
      'src/limits.ts',
      'src/client',
      'src/values',
      'src/values/list.ts',
      'src/work.ts',
    ],
    packages: [CONNECT, PROTOBUF, NODE],
  },
  'src/etcdv3': {
    modules: [
      'gen',
      'src/byte-cache.ts',
      'src/etcd',
      'src/limits.ts',
      'src/on-end.ts',
      'src/client',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT, PROTOBUF, NODE],
  },
  // How to start a node, for curl.
  'src/boot': {
    modules: ['gen', 'src/client', 'src/etcd/start', 'src/limits.ts', 'src/work.ts'],
    packages: [CONNECT, NODE],
  },
  'src/grpc': { modules: ['gen', 'src/on-end.ts', 'src/values'], packages: [CONNECT, PROTOBUF] },
  'src/page': {
    modules: [
      'gen',
      'src/byte-cache.ts',
      'src/page/view',
      'src/client',
      'src/limits.ts',
      'src/own-turn.ts',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT, PROTOBUF, NODE],
  },
  // Rendered on the server and in the browser.
  'src/page/view': { modules: ['gen', 'src/page', 'src/etcd/start'], packages: [PROTOBUF] },
  // Bundled for browsers.
  'src/page/browser': {
    modules: ['gen', 'src/page', 'src/page/view', 'src/client', 'src/etcd/start'],
    packages: [CONNECT, '@connectrpc/connect-web', PROTOBUF],
  },
  'src/moving': { modules: ['src/discovery', 'src/limits.ts', 'src/values'], packages: [NODE] },
  'src/moving/discoveryserver': {
    modules: ['src/moving', 'src/discovery', 'src/etcd', 'src/limits.ts', 'src/values'],
    packages: ['etcd3', NODE],
  },

  // Assembles the service from folders and files with rules of their own.
  'src/server': {
    modules: [
      'src/discovery',
      'src/port',
      'src/rpc',
      'src/server/clients',
      'src/server/http',
      'src/server/open-store.ts',
      'src/server/telemetry',
      'src/server/tls-files.ts',
      'src/server/version.ts',
      'src/settings',
      'src/values',
    ],
    packages: [NODE],
  },
  'src/server/version.ts': { modules: [], packages: [NODE] },
  'src/server/tls-files.ts': { modules: ['src/port', 'src/settings'], packages: [NODE] },
  'src/server/open-store.ts': {
    modules: [
      'src/discovery',
      'src/server/telemetry',
      'src/server/tls-files.ts',
      'src/settings',
      'src/store',
      'src/store/etcd',
      'src/store/lmdb',
    ],
    packages: [NODE],
  },
  // The type of a request, for all folders of the server.
  'src/server/route.ts': { modules: [], packages: [] },
  'src/server/telemetry': {
    modules: [
      'gen',
      'src/discovery',
      'src/limits.ts',
      'src/port',
      'src/server/route.ts',
      'src/server/rpc',
      'src/settings',
    ],
    packages: [PROTOBUF, '@opentelemetry/api', 'prom-client', 'pino', 'pino-pretty', NODE],
  },
  'src/server/clients': {
    modules: [
      'src/etcd',
      'src/discovery',
      'src/limits.ts',
      'src/on-end.ts',
      'src/port',
      'src/rpc',
      'src/server/tls-files.ts',
      'src/settings',
      'src/settings/tables',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT, NODE],
  },
  'src/server/rpc': {
    modules: [
      'gen',
      'src/etcdv3',
      'src/limits.ts',
      'src/own-turn.ts',
      'src/port',
      'src/server/route.ts',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT, CONNECT_NODE, PROTOBUF, NODE],
  },
  'src/server/http': {
    modules: [
      'gen',
      'src/boot',
      'src/discovery',
      'src/etcd/start',
      'src/etcdv2',
      'src/etcdv3',
      'src/grpc',
      'src/limits.ts',
      'src/page',
      'src/port',
      'src/rpc',
      'src/server/clients',
      'src/server/route.ts',
      'src/server/rpc',
      'src/server/telemetry',
      'src/settings',
      'src/values',
      'src/work.ts',
    ],
    packages: [CONNECT],
  },
  'src/server/process': {
    modules: [
      'src/discovery',
      'src/port',
      'src/server',
      'src/server/process/workers',
      'src/server/telemetry',
      'src/server/tls-files.ts',
      'src/settings',
    ],
    packages: [NODE],
  },
  'src/server/process/workers': {
    modules: ['src/server', 'src/server/process', 'src/server/telemetry', 'src/settings'],
    packages: [NODE],
  },

  'src/cli': EVERYTHING,
  'src/cli/api': { modules: ['gen', 'src/client', 'src/values'], packages: [CONNECT, PROTOBUF, NODE] },
  'src/cli/commands': {
    modules: [
      'src/limits.ts',
      'gen',
      'src/cli',
      'src/cli/api',
      'src/cli/completion',
      'src/cli/text',
      'src/client',
      'src/etcd',
      'src/etcd/start',
      'src/server/clients',
      'src/server/version.ts',
      'src/settings/tables',
      'src/values',
    ],
    packages: [CONNECT, PROTOBUF],
  },
  'src/cli/completion': { modules: ['src/cli', 'src/settings/tables'], packages: [] },
  'src/cli/data': {
    modules: [
      'src/cli',
      'src/discovery',
      'src/moving',
      'src/moving/discoveryserver',
      'src/server/open-store.ts',
      'src/server/telemetry',
      'src/settings',
      'src/settings/tables',
      'src/store/lmdb',
      'src/store/lmdb/care',
      'src/values',
    ],
    packages: [NODE],
  },
  'src/cli/text': {
    modules: ['gen', 'src/cli', 'src/cli/api', 'src/client', 'src/etcd/start', 'src/values'],
    packages: [PROTOBUF, NODE],
  },

  bench: {
    modules: ['bench/measure', 'bench/plan.ts', 'bench/report', 'bench/servers', 'bench/support', 'test'],
    packages: [NODE],
  },
  'bench/plan.ts': { modules: ['bench/measure', 'bench/servers'], packages: [] },
  'bench/support': { modules: ['gen'], packages: [PROTOBUF, NODE] },
  'bench/load': { modules: ['gen', 'bench/support', 'src/discovery'], packages: [PROTOBUF, NODE] },
  'bench/servers': {
    modules: ['gen', 'bench/load', 'bench/support', 'src/discovery', 'src/rpc', 'src/store/lmdb', 'test'],
    packages: [CONNECT_NODE, PROTOBUF, 'lmdb', NODE],
  },
  'bench/measure': {
    modules: [
      'gen',
      'bench/load',
      'bench/servers',
      'bench/support',
      'src/client',
      'src/client/node.ts',
      'src/rpc',
      'test',
    ],
    packages: [CONNECT, CONNECT_NODE, PROTOBUF, NODE],
  },
  'bench/report': { modules: ['bench/measure', 'bench/plan.ts', 'bench/support'], packages: [NODE] },
};

// `import ... from 'x'`, `export ... from 'x'`, `import 'x'` and `import('x')`.
const STATEMENT =
  /^\s*(?:import|export)\s+(?:type\s)?(?:[\w$*\s{},]+?\sfrom\s+)?(['"])([^'"]+)\1|\bimport\s*\(\s*(['"])([^'"]+)\3/gm;

type Source = readonly [path: string, text: string];

/** Returns the imports of a file: files by path from the clone's root, packages by name. */
function importsOf([path, text]: Source): Array<{ specifier: string; file?: string }> {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(STATEMENT)].map(([, , from, , dynamic]) => {
    const specifier = from ?? dynamic ?? '';
    return specifier.startsWith('.') ? { specifier, file: join(dirname(path), specifier) } : { specifier };
  });
}

/** Returns the module of a file: its folder, or the file itself if it has a rule. */
function moduleOf(path: string): string {
  if (Object.hasOwn(RULES, path)) return path;
  // Neither is split for importers.
  const [top = ''] = path.split('/');
  return top === 'gen' || top === 'test' ? top : dirname(path);
}

const allowed = (list: readonly string[], name: string): boolean =>
  list.some((entry) => entry === '*' || entry === name || (entry === NODE && name.startsWith('node:')));

/** Returns every import that breaks a rule, as "file: what is wrong". Paths start at the clone's root. */
function violations(files: readonly Source[]): string[] {
  const found: string[] = [];
  for (const source of files) {
    const [path] = source;
    const from = moduleOf(path);
    const rule = RULES[from];
    if (rule === undefined) {
      found.push(`${path}: the module "${from}" has no rule`);
      continue;
    }
    for (const { specifier, file } of importsOf(source)) {
      if (file === undefined) {
        const name = specifier.startsWith('node:') ? specifier : packageOf(specifier);
        if (!allowed(rule.packages, name)) found.push(`${path}: ${from} must not import ${name}`);
      } else {
        const to = moduleOf(file);
        if (to !== from && !allowed(rule.modules, to)) {
          found.push(`${path}: ${from} must not import ${specifier} (${to})`);
        }
      }
    }
  }
  return found;
}

/** Returns import cycles, including types: at least one for every set of files that has any. */
function cyclesIn(files: readonly Source[]): string[] {
  const imports = new Map(files.map((source) => [source[0], importsOf(source)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const begin = way.indexOf(path);
    if (begin >= 0) found.push([...way.slice(begin), path].join(' -> '));
    if (begin >= 0 || done.has(path)) return;
    for (const { file } of imports.get(path) ?? []) if (file !== undefined) visit(file, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function sourceFiles(): Source[] {
  return ['src', 'gen', 'bench'].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name): Source => [`${top}/${name}`, readFileSync(join(top, name), 'utf8')]),
  );
}

test('no import breaks the rules', () => {
  const files = sourceFiles();
  assert.ok(files.length > 10, 'the sources are found');
  assert.deepEqual(violations(files), []);
});

test('no files import each other in a cycle', () => {
  assert.deepEqual(cyclesIn(sourceFiles()), []);
});

/** The length that a reader keeps in mind. */
const MOST_LINES = 250;
/** Tables, which are looked up row by row instead of read. */
const TABLES: ReadonlySet<string> = new Set(['src/limits.ts']);

test(`no source file is longer than ${MOST_LINES} lines`, () => {
  const ours = sourceFiles().filter(([path]) => !path.startsWith('gen/'));
  const read = ours.filter(([path]) => !TABLES.has(path));
  const long = read.filter(([, text]) => text.trimEnd().split('\n').length > MOST_LINES);
  assert.deepEqual(
    long.map(([path]) => path),
    [],
  );
});

test('the map lists every folder, and every path that it names exists', () => {
  const guide = ['docs/internals/architecture.md', 'CONTRIBUTING.md']
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const rooms = Object.keys(RULES).filter((module) => /^(gen|src\/[\w-]+)$/.test(module));
  for (const room of rooms) assert.ok(guide.includes(`| \`${room}\``), room);
  const named = [...guide.matchAll(/`((?:src|test|proto|docs|deploy)\/[\w./-]*[\w/])`/g)].map(
    ([, path = '']) => path,
  );
  assert.ok(named.length > 50);
  assert.deepEqual(
    named.filter((path) => !existsSync(path) && !path.includes('NAME')),
    [],
  );
});

test('detects a planted import cycle, including one of types', () => {
  const planted: readonly Source[] = [
    ['src/rpc/a.ts', "import { b } from './b.ts';\nimport { d } from './d.ts';"],
    ['src/rpc/b.ts', "import type { C } from '../etcd/c.ts';"],
    ['src/etcd/c.ts', "export { d } from '../rpc/d.ts';\nexport type { A } from '../rpc/a.ts';"],
    ['src/rpc/d.ts', ''],
  ];
  assert.deepEqual(cyclesIn(planted), ['src/rpc/a.ts -> src/rpc/b.ts -> src/etcd/c.ts -> src/rpc/a.ts']);
  assert.deepEqual(cyclesIn(planted.filter(([path]) => path !== 'src/etcd/c.ts')), []);
});

test('only the rule of the command line allows every import', () => {
  const free = Object.entries(RULES).filter(([, rule]) => rule.modules.includes('*'));
  assert.deepEqual(
    free.map(([module]) => module),
    ['src/cli'],
  );
});

test('detects every form of a planted violation', () => {
  const planted: readonly Source[] = [
    ['src/discovery/a.ts', "import { create } from '@bufbuild/protobuf';"],
    ['src/discovery/b.ts', "import type { Cluster } from '../../gen/discovery/v1/cluster_pb.ts';"],
    ['src/discovery/c.ts', "export * from '../store/lmdb/store.ts';"],
    ['src/discovery/d.ts', "import '../rpc/service.ts';"],
    ['src/discovery/e.ts', "const { open } = await import('lmdb');"],
    ['src/discovery/f.ts', "import {\n  a,\n  type b,\n} from '../port/port.ts';"],
    ['src/etcdv2/a.ts', "import { parseToken } from '../discovery/parse.ts';"],
    ['src/etcdv2/b.ts', "import type { Store } from '../discovery/store.ts';"],
    ['src/etcdv2/c.ts', "import { client } from '../rpc/client.ts';"],
    ['src/etcdv2/e.ts', "import type { DiscoveryClient } from '../rpc/client.ts';"],
    ['src/port/a.ts', "import type { Config } from '../settings/config.ts';"],
    ['src/port/b.ts', "import pino from 'pino';"],
    ['src/settings/a.ts', "import type { Limiter } from '../server/clients/limiter.ts';"],
    ['src/server/telemetry/a.ts', "import { x } from '../http/observe.ts';"],
    ['src/server/rpc/a.ts', "import { x } from '../serve.ts';"],
    ['src/server/clients/a.ts', "import { x } from '../http/route.ts';"],
    ['src/store/etcd/client/a.ts', "import { x } from '../store.ts';"],
    ['src/store/etcd/log/a.ts', "import { x } from '../sweep/sweeper.ts';"],
    ['src/cli/completion/a.ts', "import { x } from '../../settings/config.ts';"],
    ['bench/support/a.ts', "import { x } from '../measure/calls.ts';"],
    ['src/server/a.ts', "import { x } from '../store/lmdb/store.ts';"],
    ['src/server/b.ts', "import pino from 'pino';"],
    ['src/server/new/a.ts', ''],
    ['src/etcdv2/d.ts', "import { x } from '../etcdv3/kv.ts';"],
    ['src/rpc/a.ts', "import { LmdbStore } from '../store/lmdb/store.ts';"],
    ['src/store/lmdb/a.ts', "import { x } from '../etcd/store.ts';"],
    ['src/store/lmdb/b.ts', 'export { x } from "../../rpc/errors.ts";'],
    ['src/page/a.ts', "import { x } from '../port/port.ts';"],
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

test('accepts allowed imports, and import statements in comments', () => {
  const fine: readonly Source[] = [
    ['src/discovery/a.ts', 'accepts allowed imports, and import statements in comments'],
    ['src/discovery/b.ts', 'accepts allowed imports, and import statements in comments'],
    ['src/port/a.ts', "import { x } from '../limits.ts';\nimport { y } from '../values/ip.ts';"],
    ['src/server/http/a.ts', "import { x } from '../route.ts';\nimport { y } from '../rpc/cors.ts';"],
    ['src/etcdv2/b.ts', "import { ErrorReason } from '../../gen/discovery/v1/error_pb.ts';"],
    ['src/rpc/a.ts', "import { x } from '../discovery/errors.ts';\nimport { C } from '@connectrpc/connect';"],
    ['src/store/lmdb/a.ts', "import { open } from 'lmdb';\nimport { x } from '../../discovery/parse.ts';"],
    ['src/page/view/a.ts', "import { startText } from '../../etcd/start/text.ts';"],
    ['src/server/a.ts', "import { x } from './open-store.ts';\nimport { y } from './http/admit.ts';"],
  ];
  assert.deepEqual(violations(fine), []);
});
