import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

// Below the kernel's ephemeral ports: there, an outgoing connection could take the port of a process that is about to
// restart, and a client that calls a dead port could even connect to itself. Above the ports that fetch refuses to
// call, of which the last is 10080.
const LOWEST = 10_100;
const HIGHEST = firstEphemeralPort() - 1;
const BLOCK = 64;

let block: number[] = [];

/**
 * Returns free ports of 127.0.0.1, each only once and only to this process. Otherwise a test file that runs in
 * parallel could get a port whose server has not started yet or is restarting.
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

/** Claims a block of ports, which belongs to the process that listens on the first one, until it ends. */
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

/** Returns undefined if the port is in use. */
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
    // Not Linux: on macOS and the BSDs the first one is 49152, and a lower bound is safe.
    return 32_768;
  }
}
