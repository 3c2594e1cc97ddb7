import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { HELLO } from '../port/support/frames.ts';

export interface ConnectionOrder {
  readonly port: number;
  readonly tls: boolean;
  /** In total. */
  readonly total: number;
  /** In one wave. */
  readonly atOnce: number;
}

/** Between two waves. */
const PAUSE_MS = 20;
/** The attacker has several addresses, each with its own ports. */
const ADDRESSES = 8;

/** Bytes that a client sends before it disconnects. */
const WORDS: readonly (string | Buffer)[] = [
  '',
  'GET /version HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /version HTTP/1.1\r\nHos',
  HELLO,
  HELLO.subarray(0, 10),
];

/** Opens connections in waves and drops them, half of the plaintext ones by a reset. Returns how many opened. */
export async function openConnections({ port, tls, total, atOnce }: ConnectionOrder): Promise<number> {
  let open = 0;
  for (let done = 0; done < total; done += atOnce) {
    const wave = Array.from({ length: Math.min(atOnce, total - done) }, async (_, index) => {
      const localAddress = `127.0.0.${2 + ((done + index) % ADDRESSES)}`;
      const socket = await openOne(port, tls, localAddress);
      if (socket === undefined) return;
      open += 1;
      const words = WORDS[index % WORDS.length] ?? '';
      if (words !== '') await new Promise((resolve) => socket.write(words, resolve));
      if (tls || index % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    });
    await Promise.all(wave);
    await sleep(PAUSE_MS);
  }
  return open;
}

/** Opens a connection, over TLS with its handshake; undefined if it was refused. */
async function openOne(port: number, tls: boolean, localAddress: string): Promise<Socket | undefined> {
  const to = { port, host: '127.0.0.1', localAddress };
  const socket = tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
  try {
    await once(socket, tls ? 'secureConnect' : 'connect');
    return socket.on('error', () => {});
  } catch {
    return undefined;
  }
}
