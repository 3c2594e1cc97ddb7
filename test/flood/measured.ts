// Preloaded into the service by the flood tests (`node --import`): tells what the process holds to whoever connects to
// a socket of its own, after a collection of garbage. Nothing else of the service is different.

import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process holds. */
export interface Held {
  readonly pid: number;
  readonly heapBytes: number;
  /** Memory outside of the heap that JavaScript holds. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Open file descriptors. */
  readonly files: number;
  /** What keeps the event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

const path = process.env['MEASURED_SOCKET'];
if (path !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const tell = async (): Promise<void> => {
      // What finalizers release is gone a turn after the collection.
      for (let i = 0; i < 3; i += 1) {
        collect();
        await turn();
      }
      socket.end(JSON.stringify(held()));
    };
    void tell();
  });
  server.listen(path).unref();
}

function held(): Held {
  const { heapUsed, external, rss } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  return {
    pid: process.pid,
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    files: readdirSync('/proc/self/fd').length,
    handles,
  };
}
