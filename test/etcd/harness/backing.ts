import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import { CA_FILE, CERT_FILE, KEY_FILE } from '../../tls/files.ts';
import { QUICK_FLAGS } from './node.ts';
import { freePorts } from './ports.ts';
import { endingText, type Run } from './run.ts';
import type { Scene } from './scene.ts';
import { TcpProxy } from './tcp-proxy.ts';
import type { Etcd } from './versions.ts';

const CALL_LIMIT_MS = 5000;

export interface BackingSetup {
  readonly etcd: Etcd;
  readonly members: 1 | 3;
  /** Clients then need TLS and a certificate by the tests' CA. */
  readonly tls?: boolean;
  /** Extra flags of etcd. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** An etcd cluster as the service's store. Each member is behind a proxy that can break its connections. */
export class BackingEtcd {
  readonly members: readonly BackingMember[];
  readonly #scene: Scene;

  private constructor(scene: Scene, members: readonly BackingMember[]) {
    this.#scene = scene;
    this.members = members;
  }

  /** Starts the cluster and waits until it is healthy. */
  static async start(
    scene: Scene,
    { etcd, members: count, tls = false, flags = {} }: BackingSetup,
  ): Promise<BackingEtcd> {
    const places: Place[] = [];
    for (let i = 1; i <= count; i++) {
      const [client = 0, peer = 0] = await freePorts(2);
      const clientUrl = `${tls ? 'https' : 'http'}://127.0.0.1:${client}`;
      places.push({ name: `backing${i}`, clientUrl, peerUrl: `http://127.0.0.1:${peer}` });
    }
    const initialCluster = places.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    const members: BackingMember[] = [];
    for (const place of places) {
      const proxy = await TcpProxy.open(scene, place.clientUrl);
      members.push(new BackingMember(scene, { etcd, flags }, place, initialCluster, proxy));
    }
    const backing = new BackingEtcd(scene, members);
    await backing.healthy();
    return backing;
  }

  /** The value of `--etcd`: the proxies of all members. */
  get endpoints(): string {
    return this.members.map(({ proxyUrl }) => proxyUrl).join(',');
  }

  async healthy(): Promise<void> {
    for (const member of this.members) {
      await this.#scene.until(`${member.name} to be healthy`, async () => {
        if (member.run.ending !== undefined) return `it ended with ${endingText(member.run.ending)}`;
        await member.call('kv/range', { key: base64('health') });
        return true;
      });
    }
  }

  /** Returns the current leader. */
  async leader(): Promise<BackingMember> {
    let found: BackingMember | undefined;
    await this.#scene.until('the backing etcd to have a leader', async () => {
      for (const member of this.members.filter(({ run }) => run.ending === undefined)) {
        const { leader, header } = (await member.call('maintenance/status', {})) as Status;
        if (leader !== '0' && leader === header.member_id) found = member;
      }
      return found === undefined ? undefined : true;
    });
    assert.ok(found !== undefined);
    return found;
  }

  /** Compacts every revision except the latest. */
  async compact(): Promise<void> {
    const member = await this.leader();
    const { header } = (await member.call('kv/range', { key: base64('any') })) as Status;
    await member.call('kv/compaction', { revision: header.revision }).catch((error: Error) => {
      // Nothing has changed since the last compaction.
      if (!error.message.includes('has been compacted')) throw error;
    });
  }

  /** Enables authentication, with these users, who may do everything. */
  async enableAuth(users: Readonly<Record<string, string>>): Promise<void> {
    const [member] = this.members;
    assert.ok(member !== undefined);
    await member.call('auth/role/add', { name: 'root' });
    for (const [name, password] of Object.entries(users)) {
      await member.call('auth/user/add', { name, password });
      await member.call('auth/user/grant', { user: name, role: 'root' });
    }
    await member.call('auth/enable', {});
  }
}

interface Place {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

interface Status {
  readonly leader: string;
  readonly header: { readonly member_id: string; readonly revision: string };
}

/** One etcd process of a backing cluster. */
export class BackingMember {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  /** The URL that the service uses. */
  readonly proxyUrl: string;
  readonly proxy: TcpProxy;
  run: Run;
  readonly #begin: () => Run;

  constructor(
    scene: Scene,
    { etcd, flags: more }: { readonly etcd: Etcd; readonly flags: Readonly<Record<string, string>> },
    place: Place,
    initialCluster: string,
    proxy: TcpProxy,
  ) {
    const { name, clientUrl, peerUrl } = place;
    const isTls = clientUrl.startsWith('https:');
    const flags = {
      name,
      'data-dir': join(scene.directory, name),
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': initialCluster,
      // Elections take about a second, also on a loaded machine.
      'heartbeat-interval': '50',
      'election-timeout': '500',
      ...QUICK_FLAGS,
      ...(isTls && {
        'cert-file': CERT_FILE,
        'key-file': KEY_FILE,
        'trusted-ca-file': CA_FILE,
        'client-cert-auth': 'true',
      }),
      ...more,
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    this.name = name;
    this.clientUrl = clientUrl;
    this.peerUrl = peerUrl;
    this.proxy = proxy;
    this.proxyUrl = proxy.url.replace('http:', isTls ? 'https:' : 'http:');
    this.#begin = () => scene.run(`${name} (${etcd.version})`, etcd.etcd, args);
    this.run = this.#begin();
  }

  async crash(): Promise<void> {
    await this.run.stop('SIGKILL');
  }

  startAgain(): void {
    assert.ok(this.run.ending !== undefined, 'the member is stopped before it is started again');
    this.run = this.#begin();
  }

  /** Stops the process from running; its connections stay open. */
  freeze(): void {
    this.run.signal('SIGSTOP');
  }

  thaw(): void {
    this.run.signal('SIGCONT');
  }

  /** Calls etcd's JSON gateway. */
  call(path: string, body: object): Promise<unknown> {
    const isTls = this.clientUrl.startsWith('https:');
    const tls = isTls && {
      ca: readFileSync(CA_FILE),
      cert: readFileSync(CERT_FILE),
      key: readFileSync(KEY_FILE),
    };
    const options = { method: 'POST', signal: AbortSignal.timeout(CALL_LIMIT_MS), agent: false, ...tls };
    return new Promise((resolve, reject) => {
      const send = isTls ? requestHttps : requestHttp;
      const request = send(`${this.clientUrl}/v3/${path}`, options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${this.name} ${path}: ${text}`));
        });
      });
      request.on('error', reject);
      request.end(JSON.stringify(body));
    });
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
