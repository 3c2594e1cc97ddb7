import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { DiscoveryService } from '../../gen/discovery/v1/service_pb.ts';
import { KV, Watch, type WatchRequestSchema } from '../../gen/etcd/etcdserverpb/rpc_pb.ts';
import { createDiscoveryClient, type DiscoveryClient } from '../../src/client/node.ts';

export interface LoadOrder {
  readonly url: string;
  readonly forMs: number;
  /** Clusters that form at the same time. */
  readonly atOnce: number;
}

export interface LoadResult {
  /** Clusters that formed. */
  readonly clusters: number;
  /** Errors, which must not occur. */
  readonly failures: readonly string[];
}

/** Forms clusters of three, one after another, in every dialect, with clients that wait for them and read them. */
export async function formClusters({ url, forMs, atOnce }: LoadOrder): Promise<LoadResult> {
  const end = performance.now() + forMs;
  const failures: string[] = [];
  let clusters = 0;
  const worker = async (): Promise<void> => {
    const user = new User(url);
    while (performance.now() < end && failures.length === 0) {
      try {
        await user.formCluster(clusters);
        clusters += 1;
      } catch (error) {
        failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
    user.close();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { clusters, failures };
}

/** A user of the service with its own connections. */
class User {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #connect: DiscoveryClient;
  readonly #session: Http2SessionManager;
  readonly #grpc: ReturnType<typeof createGrpcTransport>;

  constructor(url: string) {
    this.#url = url;
    this.#connect = createDiscoveryClient(url);
    this.#session = new Http2SessionManager(url);
    this.#grpc = createGrpcTransport({ baseUrl: url, sessionManager: this.#session });
  }

  close(): void {
    this.#agent.destroy();
    this.#session.abort();
  }

  async formCluster(number: number): Promise<void> {
    const token = new URL((await this.#v2('GET', '/new?size=3')).trim()).pathname.slice(1);
    const abort = new AbortController();
    const { signal } = abort;
    const waiters = Promise.all([
      this.#wait(token),
      this.#watchMembers(token, signal),
      this.#watchKeys(token, signal),
      this.#leave(token),
      this.#leave(token),
    ]);
    // Awaited below, possibly long after it failed.
    waiters.catch(() => {});
    const grpc = createClient(DiscoveryService, this.#grpc);
    await this.#v2('PUT', `/${token}/1?prevExist=false`, 'value=infra1%3Dhttp%3A%2F%2F10.0.0.1%3A2380');
    await this.#connect.register({
      token,
      memberId: '2',
      name: 'infra2',
      peerUrls: ['http://10.0.0.2:2380'],
    });
    await createClient(KV, this.#grpc).put({
      key: Buffer.from(`/_etcd/registry/${token}/members/3`),
      value: Buffer.from('infra3=http://10.0.0.3:2380'),
    });
    await Promise.all([
      this.#v2('GET', `/${token}`),
      this.#v2('GET', `/${token}/_config/size`),
      this.#v2('GET', `/${token}`, undefined, 'text/html'),
      grpc.listMembers({ token }),
      this.#connect.getCluster({ token }),
      number % 50 === 0 ? this.#v2('GET', '/metrics') : undefined,
    ]);
    await waiters;
    abort.abort();
  }

  async #v2(method: string, path: string, form?: string, accept = '*/*'): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        accept,
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      };
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        const { statusCode = 0 } = response;
        text(response).then((body) => {
          if (statusCode < 300) resolve(body);
          else reject(new Error(`${method} ${path}: ${statusCode} ${body}`));
        }, reject);
      });
      sent.on('error', reject).end(form);
    });
  }

  /** Waits for the first member, as a node does. */
  async #wait(token: string): Promise<void> {
    await this.#v2('GET', `/${token}?recursive=true&wait=true&waitIndex=1`);
  }

  /** Waits for a member that never comes, and disconnects. */
  async #leave(token: string): Promise<void> {
    const sent = request(`${this.#url}/${token}/none?wait=true`, { agent: false });
    sent.on('error', () => {}).end();
    await sleep(20);
    sent.destroy();
  }

  async #watchMembers(token: string, signal: AbortSignal): Promise<void> {
    let members = 0;
    for await (const { update } of this.#connect.watchMembers({ token }, { signal })) {
      members += update.case === 'snapshot' ? (update.value.members.length ?? 0) : 1;
      if (members >= 3) return;
    }
  }

  async #watchKeys(token: string, signal: AbortSignal): Promise<void> {
    const prefix = `/_etcd/registry/${token}/members`;
    const key = Buffer.from(`${prefix}/`);
    const rangeEnd = Buffer.from(`${prefix}0`);
    let over = (): void => {};
    const asked = async function* (): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
      yield { requestUnion: { case: 'createRequest', value: { key, rangeEnd, startRevision: 1n } } };
      await new Promise<void>((resolve) => {
        over = resolve;
      });
    };
    let members = 0;
    for await (const { events } of createClient(Watch, this.#grpc).watch(asked(), { signal })) {
      members += events.length;
      if (members >= 3) break;
    }
    over();
  }
}
