import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

// Below the kernel's ephemeral ports: there, an outgoing connection could take the port of a process that is
// down and about to come back, and a client calling a dead port could even connect to itself. Above those that
// fetch refuses to call, of which the last is 10080.
const LOWEST = 10_100;
const HIGHEST = firstEphemeralPort() - 1;
const BLOCK = 64;

let block: number[] = [];

/**
 * Ports of 127.0.0.1 that nobody listens on, each given out once, and by this process alone: a test file that runs
 * beside would otherwise be given one whose server has not started yet, or is down and about to come back.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = block.shift();
    if (port === undefined) block = await claimBlock();
    else if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** The ports of a block belong to the process that listens on the first one, until it ends. */
async function claimBlock(): Promise<number[]> {
  const blocks = Math.floor((HIGHEST - LOWEST + 1) / BLOCK);
  for (;;) {
    const first = LOWEST + BLOCK * Math.floor(Math.random() * blocks);
    if ((await listenOn(first)) !== undefined) {
      return Array.from({ length: BLOCK - 1 }, (_, i) => first + 1 + i);
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await listenOn(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Undefined when somebody else listens there. */
function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function firstEphemeralPort(): number {
  try {
    const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    const port = Number(first);
    return port > LOWEST + 5_000 ? port : 32_768;
  } catch {
    // Not Linux: 49152 is the first one on macOS and the BSDs, and less is fine.
    return 32_768;
  }
}
