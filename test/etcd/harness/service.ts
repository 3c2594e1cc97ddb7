import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TokenDiscovery } from './node.ts';
import { freePorts } from './ports.ts';
import { endingText, type Run } from './run.ts';
import type { Scene } from './scene.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.cjs', import.meta.url));
const REQUEST_LIMIT_MS = 10_000;

/** The parameters of CreateToken, in the API's JSON. */
export interface TokenRequest {
  readonly size: number;
  readonly token?: string;
  readonly ttl?: string;
  readonly description?: string;
  readonly allowRejoin?: boolean;
}

/** How to start a service that is a replica or has another store. */
export interface ServiceSetup {
  /** Distinguishes replicas in logs. */
  readonly name?: string;
  /** Flags of its store, instead of a data directory. */
  readonly store?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The discovery service in a process. */
export class Service {
  readonly url: string;
  run: Run;
  readonly #scene: Scene;
  readonly #args: readonly string[];
  readonly #setup: ServiceSetup;

  private constructor(scene: Scene, port: number, flags: readonly string[], setup: ServiceSetup) {
    this.url = `http://127.0.0.1:${port}`;
    const store = setup.store ?? ['--data-dir', join(scene.directory, 'service')];
    this.#args = [MAIN, 'serve', '--addr', `127.0.0.1:${port}`, ...store, ...flags];
    this.#setup = setup;
    this.#scene = scene;
    this.run = this.#begin();
  }

  /** Starts the service on a free port with these extra flags, and waits until it is ready. */
  static async start(
    scene: Scene,
    flags: readonly string[] = [],
    setup: ServiceSetup = {},
  ): Promise<Service> {
    const [port] = await freePorts(1);
    assert.ok(port !== undefined);
    const service = new Service(scene, port, flags, setup);
    await service.#waitUntilReady();
    return service;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.run.stop(signal);
  }

  /** Starts it again on the same port and data, and waits until it is ready. */
  async startAgain(): Promise<void> {
    assert.ok(this.run.ending !== undefined, 'the service is stopped before it is started again');
    this.run = this.#begin();
    await this.#waitUntilReady();
  }

  /** Creates a token as people do with curl. Returns its discovery URL. */
  async newDiscoveryUrl(size: number): Promise<string> {
    const { status, text } = await this.fetch(`/new?size=${size}`);
    assert.equal(status, 200, text);
    return text.trim();
  }

  /** Creates a token for nodes that take the token and the endpoint separately. */
  async newTokenDiscovery(size: number): Promise<TokenDiscovery> {
    const { pathname } = new URL(await this.newDiscoveryUrl(size));
    return { token: pathname.slice(1), endpoints: [this.url] };
  }

  /** Calls CreateToken. Returns the token. */
  async createToken(request: TokenRequest): Promise<string> {
    const { cluster } = await this.call('CreateToken', request);
    assert.ok(isRecord(cluster) && typeof cluster['token'] === 'string');
    return cluster['token'];
  }

  /** Calls an RPC in Connect's JSON. Fails if it is rejected. */
  async call(method: string, request: object): Promise<Record<string, unknown>> {
    const { status, text } = await this.post(method, request);
    assert.equal(status, 200, `${method}: ${text}`);
    const reply: unknown = JSON.parse(text);
    assert.ok(isRecord(reply));
    return reply;
  }

  /** Calls an RPC in Connect's JSON. Returns the raw response, also of a rejected call. */
  post(method: string, request: object): Promise<{ status: number; text: string }> {
    return this.fetch(`/discovery.v1.DiscoveryService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
  }

  /** Sends a request to a path of the service. */
  async fetch(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const response = await fetch(`${this.url}${path}`, { ...init, signal });
    return { status: response.status, text: await response.text() };
  }

  #begin(): Run {
    const { name = 'the discovery service', env } = this.#setup;
    return this.#scene.run(name, process.execPath, this.#args, env);
  }

  async #waitUntilReady(): Promise<void> {
    await this.#scene.until('the discovery service to be ready', async () => {
      if (this.run.ending !== undefined) return `it ended with ${endingText(this.run.ending)}`;
      return (await this.fetch('/health')).status === 200 ? true : undefined;
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
