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

/** How to start a node. */
export interface NodeSetup {
  readonly etcd: Etcd;
  readonly name: string;
  /** The discovery URL (the service's URL with the token), or the token and endpoints of 3.6 and 3.7. */
  readonly discovery: string | TokenDiscovery;
  /** How many peer URLs of its own the node listens on and advertises. Default: 1. */
  readonly peerUrlCount?: number;
  /** Advertised instead of the node's own peer URLs. */
  readonly advertisedPeerUrls?: readonly string[];
  /** Additional flags. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * The tests kill processes, never the machine, so flushes are unnecessary. Without them etcd is fast on a slow disk,
 * where calls would time out and leaders would lose elections. Cheap password hashes keep logins fast on a busy
 * machine.
 */
export const QUICK_FLAGS = { 'unsafe-no-fsync': 'true', 'bcrypt-cost': '4' } as const;

// The message differs between versions, and between both loggers of 3.4.
const WAITING = /waiting for (\d* ?more|peers from discovery service)/;

/** An etcd process on loopback with its own data directory. */
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
    // Not named for the node, because a test of mistakes starts two with the same name.
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

  /** Starts a node, without waiting for it. */
  static async start(scene: Scene, setup: NodeSetup): Promise<EtcdNode> {
    return new EtcdNode(scene, setup, await freePorts(1 + (setup.peerUrlCount ?? 1)));
  }

  /** Waits until the node has registered and waits for the others. */
  async waitUntilWaiting(): Promise<void> {
    await this.#scene.waitForLog(this.run, WAITING);
  }

  /** Removes the data of a stopped node. */
  async loseData(): Promise<void> {
    await rm(this.#dataDirectory, { recursive: true });
  }

  /** Kills it, like a crash. */
  async crash(): Promise<void> {
    await this.run.stop('SIGKILL');
  }

  /** Starts it again with the same flags and data. */
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

/** Starts nodes infra1 to infraN with one discovery URL, all at once. */
export function startNodes(scene: Scene, setup: Omit<NodeSetup, 'name'>, count: number): Promise<EtcdNode[]> {
  const names = Array.from({ length: count }, (_, index) => `infra${index + 1}`);
  return Promise.all(names.map((name) => EtcdNode.start(scene, { ...setup, name })));
}
