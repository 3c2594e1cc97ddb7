// Thousands of long polls, each on a connection of its own.

import { RawHttp1Connection } from './http1.ts';
import { type WakeResult, wakeResult } from './loop.ts';

export interface Waiting {
  readonly port: number;
  readonly count: number;
  readonly request: Uint8Array;
  /** The server sends no head before the event, so the caller has to find out when all wait. */
  readonly headLater?: boolean;
}

// Connections opened at once, below the listen backlog of servers.
const OPENING_AT_ONCE = 100;

let waiting: RawHttp1Connection[] = [];
let woken: Promise<number>[] = [];

/** Opens the connections and sends the waits. Resolves when each wait has received its head. */
export async function openWaiters({ port, count, request, headLater = false }: Waiting): Promise<void> {
  waiting = [];
  woken = [];
  while (waiting.length < count) {
    const size = Math.min(OPENING_AT_ONCE, count - waiting.length);
    const opened = await Promise.all(Array.from({ length: size }, () => RawHttp1Connection.open(port)));
    waiting.push(...opened);
    await Promise.all(opened.map((connection) => beginWait(connection, request, headLater)));
  }
}

/** Resolves at the head. `woken` later resolves with the time of the body. */
function beginWait(connection: RawHttp1Connection, request: Uint8Array, headLater: boolean): Promise<void> {
  return new Promise((held, refused) => {
    const wake = new Promise<number>((resolve, reject) => {
      connection.send(request, {
        head: () => held(),
        done: () => {
          if (connection.status === 200 && connection.bodyBytes > 0) resolve(performance.now());
          else reject(new Error(`a wait ended with status ${connection.status} and no event`));
        },
        failed: (_, error) => {
          refused(error);
          reject(error);
        },
      });
    });
    // Awaited only when they are woken.
    wake.catch(() => {});
    woken.push(wake);
    if (headLater) held();
  });
}

/** Registers a member. Resolves when every waiter has received it. */
export async function wakeWaiters({ port, request }: Omit<Waiting, 'count'>): Promise<WakeResult> {
  const connection = await RawHttp1Connection.open(port);
  const sentAt = performance.now();
  await new Promise<void>((resolve, reject) => {
    connection.send(request, {
      head: () => {},
      done: () => {
        if (connection.status < 300) resolve();
        else reject(new Error(`the registration was rejected:\n${connection.refusal}`));
      },
      failed: (_, error) => reject(error),
    });
  });
  const result = await wakeResult(sentAt, woken);
  connection.close();
  return result;
}

export function closeWaiters(): void {
  for (const connection of waiting) connection.close();
  waiting = [];
  woken = [];
}
