import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FLAG, frame, HELLO, TYPE } from '../port/support/frames.ts';
import { FLOODS, type Flood, type FloodName } from './frame-floods.ts';

export interface FrameOrder {
  readonly flood: FloodName;
  readonly port: number;
  /** The attacker's address. */
  readonly from: string;
  readonly forMs: number;
  /** Concurrent connections. One that is cut off is replaced. */
  readonly connections: number;
}

export interface FrameResult {
  /** Opened in total. */
  readonly connections: number;
  /** Closed by the service. */
  readonly cutOff: number;
  readonly megabytes: number;
}

/** Delay before a connection replaces one that was cut off. */
const PAUSE_MS = 50;

/** Sends a flood as fast as the service accepts it, for some time. */
export async function sendFloods({
  flood,
  port,
  from,
  forMs,
  connections,
}: FrameOrder): Promise<FrameResult> {
  const end = performance.now() + forMs;
  const result = { connections: 0, cutOff: 0, bytes: 0 };
  const attack = async (): Promise<void> => {
    while (performance.now() < end) {
      result.connections += 1;
      const sent = await floodOnce(flood, { port, from, end });
      result.bytes += sent.bytes;
      if (!sent.cutOff) return;
      result.cutOff += 1;
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: connections }, attack));
  const { bytes, ...counts } = result;
  return { ...counts, megabytes: Math.round(bytes / 1e5) / 10 };
}

async function floodOnce(
  name: FloodName,
  { port, from, end }: { port: number; from: string; end: number },
): Promise<{ cutOff: boolean; bytes: number }> {
  const flood: Flood = FLOODS[name];
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  const over = new AbortController();
  socket.on('error', () => {});
  socket.once('close', () => over.abort());
  const timer = setTimeout(() => over.abort('time'), end - performance.now());
  socket.write(flood.hello ?? HELLO);
  // The service's settings apply once they are acknowledged, which they can be only after they arrive.
  await once(socket, 'data', { signal: over.signal }).catch(() => {});
  if (flood.deaf === true) socket.pause();
  else socket.resume();
  socket.write(Buffer.concat([frame(TYPE.SETTINGS, FLAG.ACK, 0), flood.open ?? Buffer.alloc(0)]));
  let bytes = 0;
  let stream = 3;
  while (!over.signal.aborted) {
    const { send, streams } = flood.burst(stream);
    stream += 2 * streams;
    bytes += send.length;
    const taken = socket.write(send);
    if (taken) await new Promise(setImmediate);
    else await once(socket, 'drain', { signal: over.signal }).catch(() => {});
  }
  clearTimeout(timer);
  socket.destroy();
  return { cutOff: over.signal.reason !== 'time', bytes };
}
