import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './ports.ts';
import { endingText, type Run } from './run.ts';
import type { Scene } from './scene.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.js', import.meta.url));
const REQUEST_LIMIT_MS = 10_000;

/** What CreateToken is asked for, in the API's JSON. */
export interface TokenRequest {
  readonly size: number;
  readonly ttl?: string;
  readonly description?: string;
  readonly allowRejoin?: boolean;
}

/** The discovery service as a process of its own, with its embedded store. */
export class Service {
  readonly url: string;
  run: Run;
  readonly #scene: Scene;
  readonly #args: readonly string[];

  private constructor(scene: Scene, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    const dataDirectory = join(scene.directory, 'service');
    this.#args = [MAIN, 'serve', '--addr', `127.0.0.1:${port}`, '--data-dir', dataDirectory];
    this.#scene = scene;
    this.run = this.#begin();
  }

  /** Starts the service on a free port and waits until it is ready. */
  static async start(scene: Scene): Promise<Service> {
    const [port] = await freePorts(1);
    assert.ok(port !== undefined);
    const service = new Service(scene, port);
    await service.#waitUntilReady();
    return service;
  }

  /** Ends the process with a signal and waits for its end. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.run.stop(signal);
  }

  /** Starts it again on the same port and data, and waits until it is ready. */
  async startAgain(): Promise<void> {
    assert.ok(this.run.ending !== undefined, 'the service is stopped before it is started again');
    this.run = this.#begin();
    await this.#waitUntilReady();
  }

  /** Asks for a token as people do with curl. Returns its discovery URL. */
  async newDiscoveryUrl(size: number): Promise<string> {
    const response = await fetch(`${this.url}/new?size=${size}`, this.#limit());
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text.trim();
  }

  /** Calls CreateToken. Returns the token. */
  async createToken(request: TokenRequest): Promise<string> {
    const { cluster } = await this.call('CreateToken', request);
    assert.ok(isRecord(cluster) && typeof cluster['token'] === 'string');
    return cluster['token'];
  }

  /** Calls an RPC in Connect's JSON. */
  async call(method: string, request: object): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/discovery.v1.DiscoveryService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      ...this.#limit(),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `${method}: ${text}`);
    const reply: unknown = JSON.parse(text);
    assert.ok(isRecord(reply));
    return reply;
  }

  #begin(): Run {
    return this.#scene.run('the discovery service', process.execPath, this.#args);
  }

  async #waitUntilReady(): Promise<void> {
    await this.#scene.until('the discovery service to be ready', async () => {
      if (this.run.ending !== undefined) return `it ended with ${endingText(this.run.ending)}`;
      const response = await fetch(`${this.url}/health`, this.#limit());
      await response.arrayBuffer();
      return response.status === 200 ? true : undefined;
    });
  }

  #limit(): { signal: AbortSignal } {
    return { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) };
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
