// Preloaded into the service by the flood tests (`node --import`): reports what the process holds after a garbage
// collection to every client of a separate socket. Nothing else differs from the service.

import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The resources that a process holds. */
export interface Held {
  readonly pid: number;
  readonly heapBytes: number;
  /** Memory outside of the heap that JavaScript holds. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Open file descriptors. */
  readonly files: number;
  /** The number of handles that keep the event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>;
}

const path = process.env['MEASURED_SOCKET'];
if (path !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    const report = async (): Promise<void> => {
      // Finalizers release memory a turn after the collection.
      for (let i = 0; i < 3; i += 1) {
        collect();
        await turn();
      }
      socket.end(JSON.stringify(held()));
    };
    void report();
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
