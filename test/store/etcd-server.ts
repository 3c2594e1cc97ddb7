import { join } from 'node:path';
import { freePorts } from '../etcd/harness/ports.ts';
import type { Run } from '../etcd/harness/run.ts';
import type { Scene } from '../etcd/harness/scene.ts';
import type { Etcd } from '../etcd/harness/versions.ts';

/** A running etcd of one member, for a store to stand on. */
export class EtcdServer {
  readonly url: string;
  readonly etcd: Etcd;
  run: Run;
  readonly #start: () => Run;

  private constructor(etcd: Etcd, url: string, start: () => Run) {
    this.etcd = etcd;
    this.url = url;
    this.#start = start;
    this.run = start();
  }

  /** Started, and not waited for: a store waits for its etcd by itself. */
  static async start(scene: Scene, etcd: Etcd, flags: readonly string[] = []): Promise<EtcdServer> {
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const isTls = flags.some((flag) => flag.startsWith('--cert-file'));
    const url = `${isTls ? 'https' : 'http'}://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const args = Object.entries({
      name: 'one',
      'data-dir': join(scene.directory, `etcd-${clientPort}`),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `one=${peerUrl}`,
    }).map(([flag, value]) => `--${flag}=${value}`);
    const start = (): Run => scene.run('etcd', etcd.etcd, [...args, ...flags]);
    const server = new EtcdServer(etcd, url, start);
    await server.answers(scene);
    return server;
  }

  async answers(scene: Scene): Promise<void> {
    await scene.until('etcd to answer', async () => {
      if (this.url.startsWith('https:'))
        return /ready to serve|serving client/.test(this.run.log) || undefined;
      const response = await fetch(`${this.url}/health`);
      return /"health":\s*"true"/.test(await response.text()) || undefined;
    });
  }

  /** Starts it again on its data. */
  startAgain(): void {
    this.run = this.#start();
  }
}
