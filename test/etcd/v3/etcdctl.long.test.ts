import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Operator } from '../harness/etcdctl.ts';
import type { Scene } from '../harness/scene.ts';
import { Service } from '../harness/service.ts';
import { type Etcdctl, forEachEtcdctl } from '../harness/versions.ts';

/** An operator with a custom token that etcdctl created, and its keys. */
interface Situation {
  readonly service: Service;
  readonly operator: Operator;
  readonly token: string;
  readonly root: string;
  readonly size: string;
  readonly members: string;
}

async function open(scene: Scene, etcdctl: Etcdctl): Promise<Situation> {
  const service = await Service.start(scene);
  const operator = new Operator(scene, etcdctl, service);
  const token = randomUUID();
  const root = `/_etcd/registry/${token}`;
  const size = `${root}/_config/size`;
  assert.equal(await operator.ok('put', size, '3'), 'OK\n');
  return { service, operator, token, root, size, members: `${root}/members` };
}

/** Returns keys and values as etcdctl prints them. */
const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');

const valueOf = (id: string, port = 2380): string => `infra-${id}=http://10.0.0.${id}:${port}`;

const OUTSIDE =
  'PermissionDenied desc = this is a discovery service, not a full etcd: a request can use only the keys of one token, under /_etcd/registry/TOKEN/';

const unserved = (rpc: string): string =>
  `Unimplemented desc = etcdserverpb.${rpc} is not supported by this discovery service; `;

await forEachEtcdctl((it) => {
  it('put creates a token that both dialects and the API know', async (scene, etcdctl) => {
    const { service, operator, token, size, members } = await open(scene, etcdctl);
    assert.equal(await operator.ok('put', size, '3'), 'OK\n', 'repeating the put changes nothing');
    assert.match(
      await operator.refused('put', size, '4'),
      /FailedPrecondition desc = the token already exists with size 3\b/,
    );
    assert.match((await service.fetch(`/${token}/_config/size`)).text, /"value":"3"/);

    await operator.ok('put', `${members}/1`, valueOf('1'));
    assert.match((await service.fetch(`/${token}`)).text, /infra-1=http:\/\/10\.0\.0\.1:2380/);
    const put = await service.fetch(`/${token}/2?prevExist=false`, {
      method: 'PUT',
      body: new URLSearchParams({ value: valueOf('2') }),
    });
    assert.equal(put.status, 201, put.text);
    assert.equal(await operator.ok('get', `${members}/2`), lines(`${members}/2`, valueOf('2')));
  });

  it('put returns the previous value', async (scene, etcdctl) => {
    const { operator, members } = await open(scene, etcdctl);
    const key = `${members}/1`;
    assert.equal(await operator.ok('put', '--prev-kv', key, valueOf('1')), 'OK\n');
    assert.equal(
      await operator.ok('put', '--prev-kv', key, valueOf('1', 2390)),
      lines('OK', key, valueOf('1')),
    );
    assert.equal(await operator.ok('get', key), lines(key, valueOf('1', 2390)));
  });

  it('get finds keys by prefix, in every order and range', async (scene, etcdctl) => {
    const { operator, root, size, members } = await open(scene, etcdctl);
    for (const id of ['2', '3', '1']) await operator.ok('put', `${members}/${id}`, valueOf(id));
    const [first, second, third] = ['1', '2', '3'].map((id) => [`${members}/${id}`, valueOf(id)]);
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    const all = lines(size, '3', ...first, ...second, ...third);
    assert.equal(await operator.ok('get', '--prefix', `${root}/`), all);
    assert.equal(await operator.ok('get', '--prefix', root), all, 'without the slash');

    const get = (...flags: string[]): Promise<string> => operator.ok('get', '--prefix', members, ...flags);
    const ordered = lines(...first, ...second, ...third);
    assert.equal(await get(), ordered);
    assert.equal(await operator.ok('get', '--prefix', `${members}/`), ordered, 'with the slash');
    assert.equal(await get('--keys-only'), `${first[0]}\n\n${second[0]}\n\n${third[0]}\n\n`);
    assert.equal(await get('--print-value-only', '--limit=2'), lines(valueOf('1'), valueOf('2')));
    const values = (...ids: string[]): string => lines(...ids.map((id) => valueOf(id)));
    const sorted = (by: string, order: string): Promise<string> =>
      get('--print-value-only', `--sort-by=${by}`, `--order=${order}`);
    assert.equal(await sorted('CREATE', 'ASCEND'), values('2', '3', '1'));
    assert.equal(await sorted('MODIFY', 'DESCEND'), values('1', '3', '2'));
    assert.equal(await sorted('VALUE', 'DESCEND'), values('3', '2', '1'));
    assert.equal(
      await operator.ok('get', `${members}/2`, `${members}/3`),
      lines(...second),
      'a range without its end',
    );
    assert.equal(await operator.ok('get', `${members}/9`), '', 'a missing key');
    if (etcdctl.series !== '3.4') {
      assert.match(await get('--count-only', '--write-out=fields'), /^"Count" : 3$/m);
    }
  });

  it('get reads the current revision, and says why it cannot read another', async (scene, etcdctl) => {
    const { operator, members } = await open(scene, etcdctl);
    const key = `${members}/1`;
    await operator.ok('put', key, valueOf('1'));
    await operator.ok('put', key, valueOf('1', 2390));
    const { header, kvs } = JSON.parse(await operator.ok('get', key, '-w', 'json')) as Reading;
    assert.ok(kvs[0] !== undefined);
    assert.equal(kvs[0].mod_revision, kvs[0].create_revision + 1);
    assert.equal(kvs[0].version, 2);
    assert.equal(await operator.ok('get', key, `--rev=${header.revision}`), lines(key, valueOf('1', 2390)));
    assert.equal(
      await operator.refused('get', key, '--rev=1'),
      'Error: etcdserver: mvcc: required revision has been compacted',
    );
    assert.equal(
      await operator.refused('get', key, `--rev=${header.revision + 1}`),
      'Error: etcdserver: mvcc: required revision is a future revision',
    );
  });

  it('del removes a member, all members, and the token', async (scene, etcdctl) => {
    const { service, operator, token, root, size, members } = await open(scene, etcdctl);
    // One fewer than complete, because the members of a complete cluster stay.
    for (const id of ['1', '2']) await operator.ok('put', `${members}/${id}`, valueOf(id));
    assert.equal(
      await operator.ok('del', '--prev-kv', `${members}/1`),
      lines('1', `${members}/1`, valueOf('1')),
    );
    assert.equal(await operator.ok('del', `${members}/1`), '0\n');
    assert.equal(await operator.ok('del', '--prefix', `${members}/`), '1\n');
    assert.equal(await operator.ok('get', '--prefix', `${root}/`), lines(size, '3'));

    await operator.ok('put', `${members}/4`, valueOf('4'));
    assert.equal(await operator.ok('del', '--prefix', `${root}/`), '2\n');
    assert.match(
      await operator.refused('get', '--prefix', `${root}/`),
      /^Error: rpc error: code = FailedPrecondition desc = the token was deleted/,
    );
    assert.match((await service.post('ListMembers', { token })).text, /the token was deleted/);
  });

  it('watch reports changes as they happen', async (scene, etcdctl) => {
    const { operator, members } = await open(scene, etcdctl);
    const watch = operator.start('watch', '--prefix', members);
    let port = 1;
    // etcdctl does not report when its watch has started.
    await scene.until('the watch to report a put', async () => {
      await operator.ok('put', `${members}/1`, valueOf('1', port++));
      return watch.log.includes('PUT') ? true : undefined;
    });
    await operator.ok('put', `${members}/2`, valueOf('2'));
    await operator.ok('del', `${members}/2`);
    const expected = lines('PUT', `${members}/2`, valueOf('2'), 'DELETE', `${members}/2`, '');
    await scene.until('the watch to report the rest', () =>
      watch.log.endsWith(expected) ? true : undefined,
    );
    assert.equal(watch.ending, undefined);
  });

  it('watch reports the changes since a revision, with previous values', async (scene, etcdctl) => {
    const { operator, root, size, members } = await open(scene, etcdctl);
    const key = `${members}/1`;
    await operator.ok('put', key, valueOf('1'));
    await operator.ok('put', key, valueOf('1', 2390));
    await operator.ok('del', key);
    const watch = operator.start('watch', '--rev=1', '--prev-kv', '--prefix', `${root}/`);
    const past = [
      lines('PUT', size, '3'),
      lines('PUT', key, valueOf('1')),
      lines('PUT', key, valueOf('1'), key, valueOf('1', 2390)),
      lines('DELETE', key, valueOf('1', 2390), key, ''),
    ].join('');
    await scene.until('the past', () => (withoutWarnings(watch.log) === past ? true : undefined));
    await operator.ok('put', `${members}/2`, valueOf('2'));
    const all = past + lines('PUT', `${members}/2`, valueOf('2'));
    await scene.until('the present', () => (withoutWarnings(watch.log) === all ? true : undefined));
  });

  it('txn creates a member only if it is missing, and changes it only if the comparison holds', async (scene, etcdctl) => {
    const { operator, members } = await open(scene, etcdctl);
    const key = `${members}/1`;
    const create = (value: string): string =>
      `create("${key}") = "0"\n\nput ${key} ${value}\n\nget ${key}\n\n`;
    const txn = async (text: string): Promise<string> => {
      const { code, stdout, stderr } = await operator.run(['txn'], text);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    assert.equal(await txn(create(valueOf('1'))), lines('SUCCESS', '', 'OK'));
    assert.equal(await txn(create(valueOf('2'))), lines('FAILURE', '', key, valueOf('1')));
    const swap = (from: string, to: string): string =>
      `value("${key}") = "${from}"\n\nput ${key} ${to}\n\nget ${key}\n\n`;
    assert.equal(await txn(swap(valueOf('1'), valueOf('1', 2390))), lines('SUCCESS', '', 'OK'));
    assert.equal(
      await txn(swap(valueOf('1'), valueOf('1', 2400))),
      lines('FAILURE', '', key, valueOf('1', 2390)),
    );
  });

  it('endpoint status, endpoint health and member list show one healthy member', async (scene, etcdctl) => {
    const { service, operator } = await open(scene, etcdctl);
    const host = new URL(service.url).host;
    const [status] = JSON.parse(await operator.ok('endpoint', 'status', '-w', 'json')) as Status[];
    assert.ok(status !== undefined);
    assert.equal(status.Endpoint, host);
    assert.equal(status.Status.leader, status.Status.header.member_id);
    assert.ok(status.Status.header.revision > 0);
    assert.match(
      await operator.ok('endpoint', 'status'),
      new RegExp(`^${host}, [0-9a-f]+, 3\\.\\d+\\.\\d+, `),
    );
    await operator.ok('endpoint', 'status', '-w', 'table');
    const health = await operator.run(['endpoint', 'health']);
    assert.equal(health.code, 0);
    assert.match(health.stdout + health.stderr, new RegExp(`${host} is healthy`));
    assert.match(
      await operator.ok('member', 'list'),
      new RegExp(`^[0-9a-f]+, started, etcd-discovery, , ${service.url}, false\n$`),
    );
    await operator.ok('endpoint', 'health', '--cluster');
  });

  it('requests beyond one token are rejected with an error message', async (scene, etcdctl) => {
    const { operator, root } = await open(scene, etcdctl);
    const outside: string[][] = [
      ['get', 'foo'],
      ['get', '--prefix', '/'],
      ['get', '--prefix', '/_etcd/registry/'],
      ['get', '--from-key', root],
      ['get', `${root}/`, '/_etcd/registry/z'],
      ['put', 'foo', 'bar'],
      ['del', 'foo'],
      ['del', '--prefix', '/_etcd/registry/'],
    ];
    for (const args of outside) {
      assert.equal(await operator.refused(...args), `Error: rpc error: code = ${OUTSIDE}`, args.join(' '));
    }
    for (const args of [
      ['watch', 'foo'],
      ['watch', '--prefix', '/_etcd/registry/'],
    ]) {
      const { code, stdout, stderr } = await operator.run(args);
      assert.notEqual(code, 0);
      const words = OUTSIDE.replace(/^.* desc = /, '');
      assert.ok(`${stdout}${stderr}`.includes(`watch was canceled (${words})`), `${stdout}${stderr}`);
    }
  });

  it('features that discovery does not have are rejected by name', async (scene, etcdctl) => {
    const { operator, root, size, members } = await open(scene, etcdctl);
    await operator.ok('put', `${members}/1`, valueOf('1'));
    const refusals: Array<[string[], string]> = [
      [
        ['put', '--lease=1234', `${members}/2`, valueOf('2')],
        'Unimplemented desc = attaching a lease is not supported by this discovery service; members stay until they are deleted or the token expires',
      ],
      [
        ['put', '--ignore-value', `${members}/1`],
        'Unimplemented desc = ignore_value is not supported by this discovery service',
      ],
      [
        ['put', '--ignore-lease', `${members}/1`, valueOf('1')],
        'Unimplemented desc = ignore_lease is not supported by this discovery service',
      ],
      [
        ['put', `${root}/notes`, 'mine'],
        'Unimplemented desc = writing a key other than _config/size and members/ID under a token is not supported by this discovery service',
      ],
      [
        ['del', size],
        'Unimplemented desc = deleting the size key without the members is not supported by this discovery service; delete the token with everything under it',
      ],
      [
        ['put', `${root}x/_config/size`, 'three'],
        "InvalidArgument desc = the cluster size must be a whole number of members, not 'three'",
      ],
      [
        ['put', `${root}x/_config/size`, '0'],
        'InvalidArgument desc = the cluster size must be 1 to 1000 members, not 0',
      ],
      [['put', `${members}/2`, 'infra2'], "InvalidArgument desc = 'infra2' has no equals sign"],
      [
        ['put', `${members}/2`, 'infra-1=http://10.0.0.2:2380'],
        "FailedPrecondition desc = the name 'infra-1' is taken by the member at http://10.0.0.1:2380",
      ],
      [['put', `${root}x/members/1`, valueOf('1')], 'NotFound desc = no such token'],
      [['auth', 'enable'], unserved('Auth/AuthEnable')],
      [['user', 'list'], unserved('Auth/UserList')],
      [['lease', 'grant', '10'], unserved('Lease/LeaseGrant')],
      [['compaction', '1'], unserved('KV/Compact')],
      [['member', 'add', 'infra9', '--peer-urls=http://10.0.0.9:2380'], unserved('Cluster/MemberAdd')],
      [['endpoint', 'hashkv'], unserved('Maintenance/HashKV')],
    ];
    for (const [args, words] of refusals) {
      const reason = await operator.refused(...args);
      assert.ok(reason.includes(`rpc error: code = ${words}`), `${args.join(' ')}: ${reason}`);
    }
    assert.equal(
      await operator.ok('get', '--prefix', `${root}/`),
      lines(size, '3', `${members}/1`, valueOf('1')),
      'nothing was changed',
    );
  });
});

interface Reading {
  readonly header: { readonly revision: number };
  readonly kvs: ReadonlyArray<{ create_revision: number; mod_revision: number; version: number }>;
}

interface Status {
  readonly Endpoint: string;
  readonly Status: { readonly leader: number; readonly header: { member_id: number; revision: number } };
}

/** Removes etcdctl's log lines, which are JSON and share the stream with its output here. */
function withoutWarnings(log: string): string {
  return log.replace(/^\{"level".*\n/gm, '');
}
