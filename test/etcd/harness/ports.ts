import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

// Below the kernel's ephemeral ports: there, an outgoing connection could take the port of a process that is
// down and about to come back, and a client calling a dead port could even connect to itself.
const LOWEST = 10_000;
const HIGHEST = firstEphemeralPort() - 1;

const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on, each given out once by this process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
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
