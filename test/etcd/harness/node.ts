import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './ports.ts';
import type { Run } from './run.ts';
import type { Scene } from './scene.ts';
import type { Etcd } from './versions.ts';

/** Discovery in etcd's v3 dialect. */
export interface TokenDiscovery {
  readonly token: string;
  /** `http://host:port` or `host:port`. */
  readonly endpoints: readonly string[];
}

/** How a node is to be started. */
export interface NodeSetup {
  readonly etcd: Etcd;
  readonly name: string;
  /** The discovery URL, which is the service's URL and the token; or what 3.6 and 3.7 take instead of it. */
  readonly discovery: string | TokenDiscovery;
  /** How many peer URLs of its own the node listens on and advertises; 1 when unset. */
  readonly peerUrlCount?: number;
  /** What it advertises instead of its own peer URLs. */
  readonly advertisedPeerUrls?: readonly string[];
  /** Flags beside those for all of this. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * What a process writes outlives it without a flush, and no machine crashes here: so etcd is as quick on a slow disk,
 * where calls would be late and leaders lost. The same for log-ins on a busy machine.
 */
export const QUICK_FLAGS = { 'unsafe-no-fsync': 'true', 'bcrypt-cost': '4' } as const;

// Every etcd says so in its own words, with both loggers of 3.4.
const WAITING = /waiting for (\d* ?more|peers from discovery service)/;

/** An etcd process on loopback with a data directory of its own. */
export class EtcdNode {
  readonly etcd: Etcd;
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrls: readonly string[];
  run: Run;
  readonly #scene: Scene;
  readonly #dataDirectory: string;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv | undefined;

  private constructor(scene: Scene, setup: NodeSetup, ports: readonly number[]) {
    const [clientUrl, ...listenUrls] = ports.map((port) => `http://127.0.0.1:${port}`);
    assert.ok(clientUrl !== undefined);
    this.etcd = setup.etcd;
    this.name = setup.name;
    this.clientUrl = clientUrl;
    this.peerUrls = setup.advertisedPeerUrls ?? listenUrls;
    this.#scene = scene;
    // Not named for the node: a test of mistakes starts two with one name.
    this.#dataDirectory = join(scene.directory, `etcd-${ports[0]}`);
    const flags = {
      name: setup.name,
      'data-dir': this.#dataDirectory,
      'listen-client-urls': clientUrl,
      'advertise-client-urls': clientUrl,
      'listen-peer-urls': listenUrls.join(','),
      'initial-advertise-peer-urls': this.peerUrls.join(','),
      ...QUICK_FLAGS,
      ...discoveryFlags(setup.discovery),
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    this.#args = [...args, ...(setup.flags ?? [])];
    this.#env = setup.env;
    this.run = this.#begin();
  }

  /** Starts a node. It is not waited for. */
  static async start(scene: Scene, setup: NodeSetup): Promise<EtcdNode> {
    return new EtcdNode(scene, setup, await freePorts(1 + (setup.peerUrlCount ?? 1)));
  }

  /** Waits until the node has registered and waits for the others. */
  async waitUntilWaiting(): Promise<void> {
    await this.#scene.waitForLog(this.run, WAITING);
  }

  /** Removes the data of a node that was stopped. */
  async loseData(): Promise<void> {
    await rm(this.#dataDirectory, { recursive: true });
  }

  /** Ends it as a crash does. */
  async crash(): Promise<void> {
    await this.run.stop('SIGKILL');
  }

  /** Starts it again as it was, on its data. */
  startAgain(): void {
    assert.ok(this.run.ending !== undefined, 'the node is stopped before it is started again');
    this.run = this.#begin();
  }

  #begin(): Run {
    return this.#scene.run(`etcd ${this.name}`, this.etcd.etcd, this.#args, this.#env);
  }
}

function discoveryFlags(discovery: string | TokenDiscovery): Record<string, string> {
  if (typeof discovery === 'string') return { discovery };
  const { token, endpoints } = discovery;
  return { 'discovery-token': token, 'discovery-endpoints': endpoints.join(',') };
}

/** Starts nodes infra1 to infraN under one discovery URL, all at once. */
export function startNodes(scene: Scene, setup: Omit<NodeSetup, 'name'>, count: number): Promise<EtcdNode[]> {
  const names = Array.from({ length: count }, (_, index) => `infra${index + 1}`);
  return Promise.all(names.map((name) => EtcdNode.start(scene, { ...setup, name })));
}
