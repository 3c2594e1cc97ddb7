import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';

export interface Server {
  readonly child: Child;
  readonly port: number;
}

const START_LIMIT_MS = 20_000;

/** The service itself, as its command starts it, with its data in `dataDir` and the request log off. */
export async function startService(dataDir: string): Promise<Server> {
  const port = await freePort();
  const settings = ['--addr', `127.0.0.1:${port}`, '--data-dir', dataDir, '--log-level', 'warn'];
  const child = new Child('the service', '../src/main.js', ['serve', ...settings]);
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isHealthy(port))) {
    if (child.hasEnded()) throw new Error(`the service did not start:\n${child.output()}`);
    if (Date.now() > deadline)
      throw new Error(`the service did not answer /health within ${START_LIMIT_MS} ms`);
    await sleep(20);
  }
  return { child, port };
}

export async function startBareNode(): Promise<Server> {
  const child = new Child('bare Node HTTP', './servers/bare-node.js');
  return { child, port: (await child.ask('listen')) as number };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
