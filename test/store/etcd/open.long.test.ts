import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { Etcd3 } from 'etcd3';
import { Discovery } from '../../../src/discovery/discovery.ts';
import { DEFAULT_POLICY } from '../../../src/discovery/policy.ts';
import type { EtcdAccess, EtcdConnection } from '../../../src/store/etcd/client/connection.ts';
import { Keys } from '../../../src/store/etcd/log/keys.ts';
import { checkPrefix } from '../../../src/store/etcd/prefix.ts';
import { type EtcdStore, type EtcdStoreOptions, openEtcdStore } from '../../../src/store/etcd/store.ts';
import { BackingEtcd } from '../../etcd/harness/backing.ts';
import { freePorts } from '../../etcd/harness/ports.ts';
import { Scene } from '../../etcd/harness/scene.ts';
import { waitFor } from '../../support/wait.ts';
import { CA, IDENTITY } from '../../tls/files.ts';
import { expectRefusal } from '../laws/subject.ts';
import { create, memberId, node, size, token, urls } from '../support/commands.ts';
import { forEachEtcd } from '../support/etcd.ts';

const policy = DEFAULT_POLICY;

test('an etcd before 3.4 is rejected with its version', async () => {
  // A stub, because no etcd 3.3 is installed.
  const connection = { version: async () => '3.3.27' } as unknown as EtcdConnection;
  const refused = await expectRefusal('STORE_UNAVAILABLE', checkPrefix(connection, new Keys('/x'), '/x'));
  assert.match(refused.message, /^etcd 3\.3\.27 is too old: .* 3\.4 or newer; upgrade it$/);
});

test('an etcd without gRPC is rejected with its version', async (t) => {
  // etcd 2.3.8's response; it rejects every other request as bad HTTP.
  const old = createServer((request, response) => {
    response.writeHead(request.url === '/version' ? 200 : 404);
    response.end('{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}');
  });
  old.listen(0, '127.0.0.1');
  await once(old, 'listening');
  t.after(() => old.close());
  const endpoints = [`http://127.0.0.1:${(old.address() as AddressInfo).port}`];
  const refused = await expectRefusal(
    'STORE_UNAVAILABLE',
    openEtcdStore({ endpoints, prefix: '/x', policy }),
  );
  assert.match(refused.message, /^etcd 2\.3\.8 is too old: .* 3\.4 or newer; .* import /);
});

test('an unreachable etcd is reported within the timeout of a call', async () => {
  const [port] = await freePorts(1);
  const endpoints = [`http://127.0.0.1:${port}`];
  const refused = await expectRefusal(
    'STORE_UNAVAILABLE',
    openEtcdStore({ endpoints, prefix: '/x', policy }),
  );
  assert.match(refused.message, new RegExp(`^etcd cannot be reached \\(ECONNREFUSED 127.0.0.1:${port}\\)`));
});

await forEachEtcd((label, etcd) => {
  describe(`opening a store on ${label}`, { concurrency: 3 }, () => {
    interface Setup {
      readonly scene: Scene;
      readonly backing: BackingEtcd;
      readonly url: string;
      readonly client: (access?: object) => Etcd3;
      readonly open: (more?: Partial<EtcdStoreOptions>) => Promise<EtcdStore>;
      readonly refused: (more?: Partial<EtcdStoreOptions>) => Promise<string>;
    }
    const it = (name: string, body: (stand: Setup) => Promise<void>, tls = false): void => {
      test(name, async (t) => {
        const scene = await Scene.open(t);
        const backing = await BackingEtcd.start(scene, { etcd, members: 1, tls });
        const url = backing.members[0]?.clientUrl ?? '';
        const open = async (more: Partial<EtcdStoreOptions> = {}): Promise<EtcdStore> => {
          const store = await openEtcdStore({ endpoints: [url], prefix: '/ours', policy, ...more });
          scene.after(() => store.close());
          return store;
        };
        const client = (access: object = {}): Etcd3 => {
          const made = new Etcd3({ hosts: url, ...access });
          scene.after(async () => made.close());
          return made;
        };
        const refused = async (more?: Partial<EtcdStoreOptions>): Promise<string> =>
          (await expectRefusal('STORE_UNAVAILABLE', open(more))).message;
        await body({ scene, backing, url, client, open, refused });
      });
    };

    it('rejects a prefix with foreign keys, and takes an empty one', async ({ client, open, refused }) => {
      await client().put('/ours/abc/_config/size').value('3');
      const refusal = await refused();
      for (const fact of ['get --prefix --keys-only /ours/', '--etcd-prefix', 'del --prefix /ours/']) {
        assert.ok(refusal.includes(fact), refusal);
      }
      await client().put('/ours/_discovery/format').value('something');
      assert.match(await refused(), /keys \w+ \/ours that etcd-discovery did not write/);
      // A prefix beside it does not contain these keys.
      await open({ prefix: '/our' });
      await open({ prefix: '/ours/below' });
    });

    it('rejects the data of a newer version', async ({ client, refused }) => {
      const format = { format: 'etcd-discovery', version: 2, clusterId: '0123456789abcdef' };
      await client().put('/ours/_discovery/format').value(JSON.stringify(format));
      assert.match(await refused(), /a newer etcd-discovery .*\(format 2, .* 1\)/);
    });

    it('gives all replicas of a prefix the same permanent cluster id, and other prefixes another', async ({
      open,
    }) => {
      const [one, two] = await Promise.all([open(), open()]);
      assert.equal(one.clusterId, two.clusterId);
      await one.close();
      assert.equal((await open()).clusterId, two.clusterId);
      assert.notEqual((await open({ prefix: '/theirs' })).clusterId, two.clusterId);
    });

    it("writes etcd's own discovery keys, and deletes them with the token", async ({ client, open }) => {
      const discovery = new Discovery(await open(), policy);
      const all = (): Promise<Record<string, string>> => client().getAll().prefix('/ours/').strings();
      const published = async (): Promise<Record<string, string>> =>
        Object.fromEntries(Object.entries(await all()).filter(([key]) => !key.startsWith('/ours/_')));
      const t = token('abc');
      await discovery.createToken(create(t, size(3)));
      await discovery.register(
        t,
        node(1, { peerUrls: urls('http://10.0.0.1:2380', 'http://10.1.0.1:2380') }),
      );
      await discovery.register(t, node(2));
      await discovery.deregister(t, memberId('id2'), undefined);
      assert.deepEqual(await published(), {
        '/ours/abc/_config/size': '3',
        '/ours/abc/members/id1': 'infra1=http://10.0.0.1:2380,infra1=http://10.1.0.1:2380',
      });
      const { kvs } = await client().getAll().prefix('/ours/abc/members/').exec();
      const { cluster } = await discovery.getCluster(t);
      assert.equal(BigInt(kvs[0]?.create_revision ?? 0), cluster.members[0]?.createRevision);
      await discovery.deleteToken(t);
      assert.deepEqual(await published(), {});
      const late = new Discovery(await open(), policy, () => (Date.now() + policy.retention * 2) as never);
      assert.equal(await late.sweep(), 1);
      const left = Object.keys(await all()).filter((key) => key !== '/ours/_discovery/sweeper');
      assert.deepEqual(left.toSorted(), ['/ours/_discovery/format', '/ours/_discovery/key']);
    });

    it('does not take over a token that was created by hand', async ({ client, open }) => {
      const discovery = new Discovery(await open(), policy);
      const t = token('by-hand');
      await client().put('/ours/by-hand/_config/size').value('5');
      const refused = await expectRefusal('TOKEN_EXISTS', discovery.createToken(create(t)));
      assert.match(refused.message, /has a _config\/size key in etcd that this service did not write/);
      await expectRefusal('TOKEN_NOT_FOUND', discovery.getCluster(t));
      await client().delete().key('/ours/by-hand/_config/size');
      assert.ok((await discovery.createToken(create(t))).changed);
    });

    it('rejects endpoints of two clusters', async ({ scene, backing, open }) => {
      const other = await BackingEtcd.start(await Scene.open(scene), { etcd, members: 1 });
      const endpoints = [...backing.members, ...other.members].map((member) => member.clientUrl);
      // Calls pick an endpoint at random, and skip a failed one for a while.
      const refused = await expectRefusal(
        'STORE_UNAVAILABLE',
        open({ endpoints }).then((store) =>
          waitFor('a call to the other cluster', async () => {
            await store.read(token());
            return false;
          }),
        ),
      );
      assert.match(refused.message, /do not belong to one etcd cluster; check --etcd/);
    });

    it('requires a valid user, and logs in again when etcd drops its login', async ({
      backing,
      client,
      open,
      refused,
    }) => {
      let word = 'word';
      let logins = 0;
      const password = (): string => {
        logins += 1;
        return word;
      };
      await backing.enableAuth({ root: 'secret', service: word });
      assert.match(await refused(), /^etcd requires authentication; .*--etcd-user/);
      assert.equal(
        await refused({ auth: { username: 'service', password: 'wrong' } }),
        'etcd rejected the user name or password; check --etcd-user and its password',
      );
      const discovery = new Discovery(await open({ auth: { username: 'service', password } }), policy);
      const t = token();
      await discovery.createToken(create(t));
      const stop = new AbortController();
      const watch = discovery.watch(t, undefined, stop.signal);
      await watch.next();
      assert.equal(logins, 1, 'all calls share one login');
      // A new password invalidates all earlier logins.
      word = 'another';
      await client({ auth: { username: 'root', password: 'secret' } })
        .user('service')
        .setPassword(word);
      const others = Array.from({ length: 20 }, () => discovery.createToken(create(token())));
      await discovery.register(t, node(1));
      await Promise.all(others);
      assert.equal((await watch.next()).value?.type, 'EVENT');
      assert.ok(logins >= 2 && logins <= 4, `${logins} logins`);
      stop.abort();
    });

    it('requires permissions on its prefix', async ({ backing, client, open, refused }) => {
      const auth = { username: 'service', password: 'word' };
      await backing.enableAuth({ root: 'secret' });
      const root = client({ auth: { username: 'root', password: 'secret' } });
      const user = root.user('service');
      await user.create('word');
      assert.match(await refused({ auth }), /^permission denied: the etcd user .*role grant-permission/);
      const role = root.role('of-the-service');
      await role.create();
      await grant(root, 'of-the-service', '/ours/');
      await user.addRole('of-the-service');
      const discovery = new Discovery(await open({ auth }), policy);
      const t = token();
      await discovery.createToken(create(t));
      assert.equal((await discovery.register(t, node(1))).outcome, 'CREATED');
    });

    it(
      'requires the right CA and a client certificate over TLS',
      async ({ url, open, refused }) => {
        const tls: EtcdAccess['tls'] = { ca: CA, ...IDENTITY };
        assert.match(await refused(), /^etcd's certificate is not trusted.*; check --etcd-cacert/);
        assert.match(
          await refused({ tls: { ca: CA } }),
          /^etcd requires a client certificate or rejected it; check --etcd-cert/,
        );
        assert.match(await refused({ endpoints: [url.replace('https', 'http')] }), /https:\/\//);
        const discovery = new Discovery(await open({ tls }), policy);
        const t = token();
        await discovery.createToken(create(t));
        assert.equal((await discovery.register(t, node(1))).outcome, 'CREATED');
      },
      true,
    );
  });
});

function grant(root: Etcd3, role: string, prefix: string): Promise<unknown> {
  const { key, range_end } = new Keys(prefix.slice(0, -1)).all;
  return root.auth.roleGrantPermission({ name: role, perm: { permType: 'Readwrite', key, range_end } });
}
